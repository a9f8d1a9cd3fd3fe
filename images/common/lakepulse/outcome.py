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

import os
import sys
from collections.abc import Callable

PERMANENT = 1
TEMPORARY = 75

_SQLITE_IS_READ_ONLY = ("readonly database", "unable to open database file", "disk is full")
"""What SQLite says when waiting does not help."""

_S3_REFUSES = ("403", "Forbidden", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket")


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


def run_step(step: Callable[[], int | None]) -> int:
    """Run a step and turn how it ended into an exit code: its own, or 0 if it returns None.

    An expected failure prints one line to stderr. An object store or a catalog that did not answer,
    a full disk and a folder that is not writable are expected too; anything else is a bug and keeps
    its traceback.
    """
    try:
        return step() or 0
    except StepError as error:
        return _failed(error)
    except Exception as error:
        if known := outage(error):
            return _failed(known)
        if not isinstance(error, OSError) or error.errno is None:
            raise
        where = f" {error.filename}" if error.filename else ""
        print(f"error: {os.strerror(error.errno)}:{where} (free space or permissions, then run again)", file=sys.stderr)
        return PERMANENT


def _failed(error: StepError) -> int:
    print(f"error: {one_line(error)}", file=sys.stderr)
    return error.exit_code


def outage(error: BaseException) -> StepError | None:
    """What a library raised because a store or a database is down or not writable, as a step's error.

    Returns:
        One line that says what did not answer, or what is not writable; None for any other error.
    """
    if _is_raised_by("obstore.exceptions", "GenericError", error):
        # Its first line; what follows is for debugging.
        why = str(error).partition("\n")[0]
        if not why.startswith("Generic S3 error") or any(words in why for words in _S3_REFUSES):
            return None
        return _unreachable("the object store", why)
    if isinstance(error, OSError) and error.errno is None and "AWS Error NETWORK_CONNECTION" in str(error):
        return _unreachable("the object store", str(error))
    if _is_raised_by("sqlalchemy.exc", "OperationalError", error):
        # `orig` alone: the whole message may hold the statement's parameters.
        why = one_line(getattr(error, "orig", None))
        if any(words in why for words in _SQLITE_IS_READ_ONLY):
            return PermanentError(f"the catalog is not writable ({why}); free space or permissions, then run again")
        return _unreachable("the catalog's database", why)
    return None


def _is_raised_by(module: str, name: str, error: BaseException) -> bool:
    """Whether a library's error is of its class `name`: one that raised something is loaded."""
    library = sys.modules.get(module)
    return library is not None and isinstance(error, getattr(library, name))


def _unreachable(what: str, why: str) -> TemporaryError:
    return TemporaryError(f"{what} did not answer ({one_line(why)[:500]}); run again when it is back")
