"""How a step ends: its errors, its exit codes and the one line it leaves behind.

Exit codes are the contract with the workflow engine, which retries 75 and nothing else:

====  ==========================================================================
0     done
1     permanent: the same run will fail again until somebody changes something
75    temporary (``EX_TEMPFAIL`` of sysexits.h): worth the same run again, later
====  ==========================================================================

Nothing is imported but the standard library: programs with few libraries end the same way.
"""

from __future__ import annotations

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
