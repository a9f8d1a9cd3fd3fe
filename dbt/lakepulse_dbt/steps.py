"""What the step programs of this stage have in common: a report, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from pyiceberg.exceptions import CommitFailedException

from lakepulse.outages import outage
from lakepulse.outcome import StepError, TemporaryError, one_line
from lakepulse.reports import StepReport, write_report
from lakepulse.settings import Settings
from lakepulse.store import open_store

log = structlog.get_logger()


@dataclass
class Report:
    """What a step has to say when it ends; `details` must be JSON-serialisable."""

    rows: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


@contextmanager
def reported(settings: Settings, step: str) -> Iterator[Report]:
    """Write the step's report when it ends, and turn the store's and the catalog's own errors into step errors.

    Raises:
        TemporaryError: another writer won a commit, or the store or the catalog's database did not answer.
        PermanentError: the catalog cannot be written.
    """
    report = Report()
    started = datetime.now(UTC)

    def write(outcome: Literal["succeeded", "failed"], message: str | None) -> None:
        ended = datetime.now(UTC)
        entry = StepReport(
            run_id=settings.run_id,
            step=step,
            outcome=outcome,
            started_at=started,
            ended_at=ended,
            rows=report.rows,
            message=message,
            details=report.details,
        )
        write_report(open_store(settings), entry)

    try:
        with catalog_errors():
            yield report
    except BaseException as error:
        try:
            write("failed", told(error))
        except Exception as second:  # noqa: BLE001 - the first error is the one to show
            log.warning("the step's report was not written", step=step, error=one_line(second))
        raise
    with catalog_errors():
        write("succeeded", None)


def told(error: BaseException) -> str:
    """An error as a report has it, one line: an unexpected one with its kind."""
    return one_line(error) if isinstance(error, StepError) else f"{type(error).__name__}: {one_line(error)}"


@contextmanager
def catalog_errors() -> Iterator[None]:
    """Turn a lost commit, and what failed outside the code, into a step's error.

    Raises:
        TemporaryError: another writer won the commit, or a store or the catalog did not answer.
        PermanentError: one of them refused, or a disk is full or not writable.
    """
    try:
        yield
    except CommitFailedException as error:
        raise TemporaryError(f"another writer changed a table at the same time ({one_line(error)}); run again") from error
    except Exception as error:
        if known := outage(error):
            raise known from error
        raise
