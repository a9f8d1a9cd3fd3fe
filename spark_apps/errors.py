"""Engine failures as expected outcomes: one line, and whether a retry may help."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkException

from lakepulse.outages import outage
from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line

# Networks, services that restart, lost executors and commits that lost a race.
_TEMPORARY = re.compile(
    r"java\.net\.|SocketTimeout|UnknownHost|ConnectException|Connection (refused|reset|attempt failed)|SdkClientException"
    r"|S3Exception.*Status Code: (429|5\d\d)\b|SQLTransient"
    r"|PSQLException.*(connect|I/O error|terminating|starting up|shutting down)"
    r"|This connection has been closed|SQLITE_BUSY|database is locked|CommitFailedException|CommitStateUnknown"
    r"|ExecutorLostFailure|ExecutorDeadException|Checkpoint block|FetchFailed|MetadataFetchFailed"
)

_DISK = {
    errno.ENOSPC: re.compile(r"No space left on device|SQLITE_FULL"),
    errno.EDQUOT: re.compile(r"Disk quota exceeded"),
    errno.EROFS: re.compile(r"Read-only file system|SQLITE_READONLY"),
    errno.EACCES: re.compile(r"Permission denied"),
}
"""Why a disk cannot be written, and how Java, Hadoop and SQLite say so."""


class DiskError(PermanentError):
    """A disk cannot be written: the data's, or the one of Spark's scratch files."""

    def __init__(self, doing: str, number: int, *, path: str | None = None, more: int = 0) -> None:
        where = path or "DATA_DIR or the folder of Spark's scratch files (SPARK_LOCAL_DIRS, else /tmp)"
        others = f" and {more} more" if more else ""
        do = "free space" if number in (errno.ENOSPC, errno.EDQUOT) else "make it writable"
        super().__init__(f"{doing}{others} failed: {os.strerror(number)}: {where}; {do}, then run again")
        self.doing, self.number, self.path = doing, number, path


class EngineEndedError(TemporaryError):
    """The JVM is gone; what else failed with it failed because of it."""

    def __init__(self, doing: str, why: str) -> None:
        super().__init__(f"{doing} failed: {why}; run again")


_JVM_CONNECTION = (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE)


def why_jvm_ended(seconds: float = 5) -> str | None:
    """How the JVM of this process ended; None while it runs, which is waited for so long."""
    gateway = SparkContext._gateway  # noqa: SLF001 - pyspark keeps the process nowhere else
    process = getattr(gateway, "proc", None)
    if process is None:
        return None
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    if code == -signal.SIGKILL:
        return "the JVM was killed (SIGKILL), as the system does when memory runs out"
    if code < 0:
        return f"the JVM was terminated by {signal.Signals(-code).name}"
    return f"the JVM ended with exit code {code}"


@contextmanager
def engine_error(doing: str) -> Iterator[None]:
    """Turn what Spark, Iceberg, a store or a disk raise in the block into one line that begins with `doing`.

    Raises:
        TemporaryError: the network, a service or an executor went away.
        PermanentError: anything else.
    """
    try:
        yield
    except Py4JJavaError as error:
        raise _classified(doing, error.java_exception) from error
    except PySparkException as error:
        raise _classified(doing, getattr(error, "_origin", None), str(error)) from error
    except Exception as error:
        if isinstance(error, Py4JError) or (isinstance(error, OSError) and error.errno in _JVM_CONNECTION):
            if why := why_jvm_ended():
                raise EngineEndedError(doing, why) from error
            if isinstance(error, Py4JError):
                raise TemporaryError(f"{doing} failed: the JVM did not answer ({one_line(error)}); run again") from error
        if isinstance(error, OSError) and error.errno in _DISK:
            raise DiskError(doing, error.errno, path=error.filename) from error
        if known := outage(error):
            raise type(known)(f"{doing} failed: {known}") from error
        raise


def joined(errors: Sequence[StepError]) -> StepError | None:
    """All errors as one, permanent if any of them is; None without one.

    A full disk is reported once, and so is the end of the JVM.
    """
    ended = [error for error in errors if isinstance(error, EngineEndedError)]
    errors = [*ended[:1], *(error for error in errors if error not in ended)]
    disks = [error for error in errors if isinstance(error, DiskError)]
    if len(disks) > 1:
        first = disks[0]
        once = DiskError(first.doing, first.number, path=first.path, more=len(disks) - 1)
        errors = [once, *(error for error in errors if not isinstance(error, DiskError))]
    if len(errors) < 2:
        return errors[0] if errors else None
    kind = TemporaryError if all(isinstance(error, TemporaryError) for error in errors) else PermanentError
    return kind(" | ".join(map(str, errors)))


def _classified(doing: str, java: object, text: str = "") -> StepError:
    """The innermost cause says what happened; any cause in the chain says whether a retry may help."""
    chain: list[str] = []
    while java is not None and len(chain) < 20:
        chain.append(str(java.toString()))  # type: ignore[attr-defined]
        java = java.getCause()  # type: ignore[attr-defined]
    for number, words in _DISK.items():
        if any(words.search(link) for link in (*chain, text)):
            return DiskError(doing, number)
    cause = one_line((chain[-1] if chain else text).split("\n", 1)[0])
    if any(_TEMPORARY.search(link) for link in (*chain, text)):
        return TemporaryError(f"{doing} failed: {cause}; run again")
    return PermanentError(f"{doing} failed: {cause}")
