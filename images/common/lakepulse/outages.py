"""The true cause of an error that a library or the system raises because something outside the code fails.

An error is recognised by its type and by the status or error code that it carries, never by words that a path, an
address or a run's id may hold too. What is not recognised is a bug and keeps its traceback.

Nothing is imported but the standard library: the module of a library that raised something is loaded.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NETWORK = frozenset(
    {
        *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ETIMEDOUT),
        *(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN),
    }
)
_FILES = frozenset({errno.EMFILE, errno.ENFILE})

# obstore has no attribute for them. Their lines in its description of the error cannot be part of a URL or a path.
_STATUS_LINE = re.compile(r"^\s+status: (\d{3}),$", re.MULTILINE)
_SYSTEM_LINE = re.compile(r"^\s+code: (\d+),$", re.MULTILINE)
_HTTP_LINE = re.compile(r"^\s+HttpError \{$", re.MULTILINE)
_REDIRECT_LINE = re.compile(r"^\s+inner: BareRedirect,$", re.MULTILINE)
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")
# How PyArrow's S3 ends its messages: after the key, which is in quotes.
_AWS = re.compile(r"': AWS Error ([A-Z_]+)(?: \(HTTP status (\d{3})\))? during \w+ operation: (.*)", re.DOTALL)
_LOCAL = re.compile(r"\(os error (\d+)\)$")

_AWS_STATUS = {
    "ACCESS_DENIED": 403,
    "INVALID_ACCESS_KEY_ID": 403,
    "SIGNATURE_DOES_NOT_MATCH": 403,
    "NO_SUCH_BUCKET": 404,
    "INTERNAL_FAILURE": 500,
    "SERVICE_UNAVAILABLE": 503,
    "SLOW_DOWN": 503,
}

# SQLite's primary result codes.
_SQLITE_NOT_WRITABLE = frozenset({3, 8, 14})  # PERM, READONLY, CANTOPEN
_SQLITE_IO = 10
_SQLITE_FULL = 13
_SQLITE_DAMAGED = frozenset({11, 26})  # CORRUPT, NOTADB
_SQLITE_BUSY = frozenset({5, 6})  # BUSY, LOCKED


def outage(error: BaseException) -> StepError | None:
    """What failed outside the code, as a step's error: a store, a catalog, a disk or the network.

    Returns:
        One line that says what failed and what to do, temporary if waiting may help; None for any other error.
    """
    for module, name, explain in _KNOWN:
        # A name that is missing here belongs to another version of the library.
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return explain(error)
    return _system_error(error) if isinstance(error, OSError) else None


# --- disks and connections


def disk_error(number: int, where: str) -> PermanentError | None:
    """Why `where` cannot be read or written, by the system's error number; None if that is not about a disk."""
    if number in _NO_ROOM:
        return PermanentError(f"{os.strerror(number)}: {where}; free space, then run again")
    if number in _NOT_WRITABLE:
        return PermanentError(f"{os.strerror(number)}: {where}; correct its owner or its permissions, then run again")
    if number == errno.EIO:
        return PermanentError(f"{os.strerror(number)}: {where}; check the disk")
    return None


def _system_error(error: OSError) -> StepError | None:
    if error.errno is None:
        # obstore's missing object is one of these, and so is its missing bucket.
        return _store_error(error) or _aws_error(str(error)) or _folder_error(str(error))
    if known := disk_error(error.errno, str(error.filename or "a file or folder of this run")):
        return known
    said = os.strerror(error.errno)
    if error.errno in _FILES:
        return PermanentError(f"{said}: raise the limit with ulimit -n, then run again")
    if error.errno in _NETWORK:
        return TemporaryError(f"a network connection failed ({said}); run again")
    return None


def _folder_error(text: str) -> StepError | None:
    """A local store that cannot be opened."""
    number = _LOCAL.search(text)
    return disk_error(int(number[1]), "DATA_DIR") if number else None


# --- the object store


def _store_error(error: Exception) -> StepError | None:
    said, _, described = str(error).partition("\n\nDebug source:")
    if found := _STATUS_LINE.search(described):
        code = _S3_CODE.search(said)
        return _refusal(int(found[1]), code[1] if code else "", said)
    if _HTTP_LINE.search(described):
        return _away("the object store", said)
    if _REDIRECT_LINE.search(described):
        return PermanentError("the object store is in another region; correct AWS_REGION or S3_ENDPOINT")
    if found := _SYSTEM_LINE.search(described):
        return disk_error(int(found[1]), said.partition(": ")[2].rpartition(": ")[0] or "DATA_DIR")
    return None


def _aws_error(text: str) -> StepError | None:
    """PyArrow's S3."""
    found = _AWS.search(text)
    if found is None:
        return None
    name, status, said = found[1], found[2], found[3]
    if name in {"NETWORK_CONNECTION", "REQUEST_TIMEOUT"}:
        return _away("the object store", said)
    number = int(status) if status else _AWS_STATUS.get(name)
    return None if number is None else _refusal(number, name, said)


def _refusal(status: int, code: str, said: str) -> StepError | None:
    """What an object store means by an HTTP status and its own `code`; a missing object is for the caller to explain."""
    what = f"the object store answered {f'{status} {code}'.strip()}"
    if code in {"RequestTimeTooSkewed", "REQUEST_TIME_TOO_SKEWED"}:
        return PermanentError(f"{what}: this machine's clock is wrong; set it, then run again")
    if status in (401, 403):
        return PermanentError(
            f"{what}: access refused; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and that key's permissions"
        )
    if code in {"NoSuchBucket", "NO_SUCH_BUCKET"}:
        return PermanentError(f"{what}: the bucket does not exist; create it, or correct LAKE_URL or WAREHOUSE_URL")
    if status == 404:
        return None
    if status == 507:
        return PermanentError(f"{what}: it is full; free space there, then run again")
    if status >= 500 or status in (408, 429):
        return TemporaryError(f"{what}; run again when it is back")
    return PermanentError(f"{what} ({_short(said)})")


# --- DuckDB


def _duckdb_error(error: Exception) -> StepError | None:
    """DuckDB has no numbers either, but ends its line with the system's own words."""
    said = one_line(error)
    numbers = (number for number in (*_NO_ROOM, *_NOT_WRITABLE) if said.endswith(f": {os.strerror(number)}"))
    number = next(numbers, None)
    return None if number is None else disk_error(number, said.rpartition(": ")[0])


# --- the catalog


def _database_error(error: Any) -> StepError | None:
    # `orig` alone: the whole message may hold the statement's parameters.
    original = error.orig
    why = one_line(original)
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return _sqlite_error(code & 0xFF, why)
    return _postgres_error(getattr(original, "sqlstate", None), why)


def _sqlite_error(code: int, why: str) -> StepError | None:
    if code in _SQLITE_NOT_WRITABLE:
        return PermanentError(f"the catalog is not writable ({why}); correct its owner or its permissions, then run again")
    if code == _SQLITE_FULL:
        return PermanentError(f"the catalog's disk is full ({why}); free space, then run again")
    if code == _SQLITE_IO:
        return PermanentError(f"the catalog's disk failed ({why}); free space or check the disk, then run again")
    if code in _SQLITE_DAMAGED:
        return PermanentError(f"the catalog is damaged ({why}); restore catalog.db from a copy")
    if code in _SQLITE_BUSY:
        return TemporaryError(f"the catalog is in use ({why}); run again")
    return None


def _postgres_error(state: str | None, why: str) -> StepError | None:
    what = "the catalog's database"
    if state is None:
        # A refused connection has no SQLSTATE, and the server's own words follow `FATAL:` alone.
        _, fatal, said = why.partition("FATAL: ")
        if fatal and re.match(r"\s*(password authentication failed|no pg_hba\.conf entry|role .* does not exist)", said):
            return PermanentError(f"{what} refused to log in ({_short(said)}); check CATALOG_USER and CATALOG_PASSWORD")
        if fatal and re.match(r"\s*database .* does not exist", said):
            return PermanentError(f"{what} does not exist ({_short(said)}); check CATALOG_URI")
        return _away(what, why)
    if state.startswith("28"):
        return PermanentError(f"{what} refused to log in ({_short(why)}); check CATALOG_USER and CATALOG_PASSWORD")
    if state == "53100":
        return PermanentError(f"{what} is out of space ({_short(why)}); free space there, then run again")
    if state[:2] in {"08", "53", "57"}:
        return _away(what, why)
    return None


def _rest_away(error: Exception) -> StepError:
    return _away("the REST catalog", str(error))


def _rest_refusal(error: Exception) -> StepError:
    return PermanentError(f"the REST catalog refused access ({_short(error)}); check its credentials")


def _away(what: str, why: str) -> TemporaryError:
    return TemporaryError(f"{what} did not answer ({_short(why)}); run again when it is back")


def _short(text: object) -> str:
    return one_line(text)[:500]


_KNOWN: tuple[tuple[str, str, Callable[[Any], StepError | None]], ...] = (
    ("obstore.exceptions", "BaseError", _store_error),
    ("duckdb", "Error", _duckdb_error),
    ("sqlalchemy.exc", "DBAPIError", _database_error),
    ("pyiceberg.exceptions", "ServerError", _rest_away),
    ("pyiceberg.exceptions", "ServiceUnavailableError", _rest_away),
    ("pyiceberg.exceptions", "TooManyRequestsError", _rest_away),
    ("pyiceberg.exceptions", "UnauthorizedError", _rest_refusal),
    ("pyiceberg.exceptions", "ForbiddenError", _rest_refusal),
    ("requests.exceptions", "ConnectionError", _rest_away),
    ("requests.exceptions", "Timeout", _rest_away),
)
"""Module and name of a library's error, and what explains it; `requests` is how PyIceberg calls a REST catalog."""
