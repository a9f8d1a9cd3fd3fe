"""How a step program ends: its errors, its exit codes and the one line it leaves behind.

Exit codes are the contract with the workflow engine, which retries 75 and nothing else:

====  ==========================================================================
0     done
1     permanent: the same run will fail again until somebody changes something
75    temporary (``EX_TEMPFAIL`` of sysexits.h): worth the same run again, later
====  ==========================================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

PERMANENT = 1
TEMPORARY = 75


class StepError(Exception):
    """An expected failure of a step. `str()` of it is one line: what, where, what to do."""

    exit_code = PERMANENT


class PermanentError(StepError):
    """Trying again changes nothing: a bad setting, a missing repository, a failed audit."""


class TemporaryError(StepError):
    """Trying again later may help: no network, a rate limit, a lock held by another run."""

    exit_code = TEMPORARY


def one_line(text: object) -> str:
    """`text` as a single line of at most 2,000 characters, so that a log line stays one line."""
    line = " ".join(str(text).split())
    return line if len(line) <= 2000 else line[:1999] + "…"


def run_step(step: Callable[[], None]) -> int:
    """Run a step and turn how it ended into an exit code.

    An expected failure prints one line to stderr. A store or a catalog that does not answer, a full
    disk and a folder that cannot be written are expected too; anything else is a bug and keeps its traceback.
    """
    try:
        step()
    except StepError as error:
        return _told(error)
    except Exception as error:
        from lakepulse.outages import outage  # needs libraries that not every program of ours has

        if known := outage(error):
            return _told(known)
        if not isinstance(error, OSError) or error.errno is None:
            raise
        where = f" {error.filename}" if error.filename else ""
        print(f"error: {os.strerror(error.errno)}:{where} (free space or permissions, then run again)", file=sys.stderr)
        return PERMANENT
    return 0


def _told(error: StepError) -> int:
    print(f"error: {one_line(error)}", file=sys.stderr)
    return error.exit_code
