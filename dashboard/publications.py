"""What can be shown: the publications, and how the last runs ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from lakepulse.publications import Publication

STALE_AFTER = timedelta(days=2)
"""A daily run that was missed once is late; twice is worth a notice."""


_BRING_NOTHING = ("maintenance",)
"""Pipelines that publish nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `ops.runs`; `steps` is a JSON list of step reports."""

    run_id: str
    pipeline: str
    is_demo: bool
    as_of: date
    started_at: datetime
    ended_at: datetime
    outcome: str
    failed_step: str | None
    message: str | None
    steps: str | None


def by_label(found: Sequence[Publication]) -> dict[str, Publication]:
    """What the as-of picker calls each publication, the newest first.

    A date alone is what these pages said on that day: the last publication of the date that was the newest of all when it
    was made, or the last one if none was, as after a backfill. The others of the date say when they were published too.
    """
    said: dict[date, Publication] = {}
    late: dict[date, Publication] = {}
    newest = date.min
    for publication in sorted(found, key=lambda each: each.published_at):
        was_newest_then = publication.as_of >= newest
        (said if was_newest_then else late)[publication.as_of] = publication
        newest = max(newest, publication.as_of)
    said = late | said
    return {
        publication.as_of.isoformat()
        if publication is said[publication.as_of]
        else f"{publication.as_of}, published {publication.published_at:%Y-%m-%d %H:%M:%S}": publication
        for publication in found
    }


def latest_runs(rows: pa.Table) -> list[Run]:
    """Rows of `ops.runs`, the last to end first."""
    return sorted((Run(**row) for row in rows.to_pylist()), key=lambda run: run.ended_at, reverse=True)


def failed_since(runs: Sequence[Run], publication: Publication) -> list[Run]:
    """The runs that failed to bring something newer than the publication, the last first; one made good does not count.

    `runs` are as `latest_runs` has them. A backfill of an older date and maintenance bring nothing newer.
    """
    failed: list[Run] = []
    for run in runs:
        if run.ended_at <= publication.published_at:
            break
        if run.pipeline in _BRING_NOTHING or run.as_of < publication.as_of:
            continue
        if run.outcome != "failed":
            break
        failed.append(run)
    return failed


def was_newest(publication: Publication, found: Sequence[Publication]) -> bool:
    """Whether no newer one was there when it was published; a backfill of an older date was never the newest."""
    return all(other.as_of <= publication.as_of or other.published_at > publication.published_at for other in found)


def is_stale(publication: Publication, now: datetime) -> bool:
    """Whether the newest publication's date lies further back than daily runs explain. `now` is aware."""
    return now.date() - publication.as_of > STALE_AFTER
