"""What the libraries raise when the object store or the catalog's database does not answer, as a step's outcome."""

from __future__ import annotations

import sys

from obstore.exceptions import GenericError

from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line

_LASTING = ("readonly database", "unable to open database file", "disk is full")
"""What SQLite says when waiting does not help."""

_S3_ANSWERS_NO = ("403", "Forbidden", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket")


def outage(error: BaseException) -> StepError | None:
    """`error` as one line that says what did not answer, or cannot be written; None if it tells of something else."""
    if isinstance(error, GenericError):
        # Its first line; what follows is for debugging.
        why = str(error).partition("\n")[0]
        if not why.startswith("Generic S3 error") or any(words in why for words in _S3_ANSWERS_NO):
            return None
        return _away("the object store", why)
    if isinstance(error, OSError) and error.errno is None and "AWS Error NETWORK_CONNECTION" in str(error):
        return _away("the object store", str(error))
    # The fetch image has no SQLAlchemy; where it raised something, it is loaded.
    sqlalchemy = sys.modules.get("sqlalchemy.exc")
    if sqlalchemy is not None and isinstance(error, sqlalchemy.OperationalError):
        # `orig` alone: the whole message may hold the statement's parameters.
        why = one_line(error.orig)
        if any(words in why for words in _LASTING):
            return PermanentError(f"the catalog cannot be written ({why}); free space or permissions, then run again")
        return _away("the catalog's database", why)
    return None


def _away(what: str, why: str) -> TemporaryError:
    return TemporaryError(f"{what} did not answer ({one_line(why)[:500]}); run again when it is there")
