"""How a step's program ends: its exit code, and the one line that it leaves behind.

Nothing is imported but the standard library: programs with few libraries end the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from lakepulse.outages import outage
from lakepulse.outcome import StepError, one_line


def run_step(step: Callable[[], int | None]) -> int:
    """Run a step and turn how it ended into an exit code: its own, or 0 if it returns None.

    An expected failure prints one line to stderr, and so does what failed outside the code: an object store, a
    catalog, a disk, the network. Anything else is a bug and keeps its traceback.
    """
    try:
        return step() or 0
    except StepError as error:
        return _failed(error)
    except Exception as error:
        if known := outage(error):
            return _failed(known)
        raise


def _failed(error: StepError) -> int:
    print(f"error: {one_line(error)}", file=sys.stderr)
    return error.exit_code
