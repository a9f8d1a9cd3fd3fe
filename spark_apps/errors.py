"""Engine failures as expected outcomes: one line, and whether trying again may help."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException

from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line

# Networks, services that restart, lost executors and commits that lost a race.
_TEMPORARY = re.compile(
    r"java\.net\.|SocketTimeout|UnknownHost|ConnectException|Connection (refused|reset|attempt failed)|SdkClientException"
    r"|S3Exception.*(503|500|SlowDown)|SQLTransient|PSQLException.*(connect|I/O error|terminating|starting up|shutting down)"
    r"|This connection has been closed|SQLITE_BUSY|database is locked|CommitFailedException|CommitStateUnknown"
    r"|ExecutorLostFailure|ExecutorDeadException|Checkpoint block|FetchFailed|MetadataFetchFailed"
)


@contextmanager
def engine_error(doing: str) -> Iterator[None]:
    """Turn what Spark and Iceberg raise in the block into one line that begins with `doing`.

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
    except Py4JError as error:
        raise TemporaryError(f"{doing} failed: the JVM has ended ({one_line(error)}); run again") from error


def joined(errors: Sequence[StepError]) -> StepError | None:
    """One error that tells of all; permanent if one is."""
    if len(errors) < 2:
        return errors[0] if errors else None
    kind = TemporaryError if all(isinstance(error, TemporaryError) for error in errors) else PermanentError
    return kind(" | ".join(map(str, errors)))


def _classified(doing: str, java: object, text: str = "") -> StepError:
    """The innermost cause tells what happened; any of the chain tells whether it may pass."""
    chain: list[str] = []
    while java is not None and len(chain) < 20:
        chain.append(str(java.toString()))  # type: ignore[attr-defined]
        java = java.getCause()  # type: ignore[attr-defined]
    cause = one_line((chain[-1] if chain else text).split("\n", 1)[0])
    if any(_TEMPORARY.search(link) for link in (*chain, text)):
        return TemporaryError(f"{doing} failed: {cause}; run again")
    return PermanentError(f"{doing} failed: {cause}")
