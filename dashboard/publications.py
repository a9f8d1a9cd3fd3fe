"""What can be shown: the publications by label, and the outcomes of recent runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from lakepulse import publications
from lakepulse.publications import Publication, is_ahead

STALE_AFTER = timedelta(days=2)
"""One missed daily run is a delay; two are worth a notice."""

_PUBLISH_NOTHING = ("maintenance",)
"""Pipelines without a publication."""


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


def newest_first(rows: pa.Table) -> list[Publication]:
    """Rows of `gold.publications`, the newest first."""
    return publications.newest_first(rows.to_pylist())


def newest_when_published(found: Sequence[Publication]) -> frozenset[str]:
    """Keys of the publications that were the newest when they were published; a backfill of an older date was not."""
    keys, newest = [], date.min
    for publication in sorted(found, key=lambda each: each.published_at):
        if publication.as_of >= newest and not is_ahead(publication.as_of):
            keys.append(publication.key)
            newest = publication.as_of
    return frozenset(keys)


def by_label(found: Sequence[Publication]) -> dict[str, Publication]:
    """The publications by their label in the as-of picker, newest first.

    A plain date is what these pages showed on that day: the last publication of the date that was the newest when it was
    published, or else, as after a backfill, the last one. The other labels of the date also have the time of publishing.
    """
    shown_then = newest_when_published(found)
    plain: dict[date, Publication] = {}
    for publication in sorted(found, key=lambda each: (each.key in shown_then, each.published_at)):
        plain[publication.as_of] = publication
    return {
        publication.as_of.isoformat()
        if publication is plain[publication.as_of]
        else f"{publication.as_of}, published {publication.published_at:%Y-%m-%d %H:%M:%S}": publication
        for publication in found
    }


def latest_runs(rows: pa.Table) -> list[Run]:
    """Rows of `ops.runs`, the latest to end first."""
    return sorted((Run(**row) for row in rows.to_pylist()), key=lambda run: run.ended_at, reverse=True)


def failed_since(runs: Sequence[Run], publication: Publication) -> list[Run]:
    """The runs that failed since the last success and would have replaced the publication, latest first.

    `runs` are in the order of `latest_runs`. Maintenance and backfills of older dates replace nothing.
    """
    failed: list[Run] = []
    for run in runs:
        if run.ended_at <= publication.published_at:
            break
        if run.pipeline in _PUBLISH_NOTHING or run.as_of < publication.as_of:
            continue
        if run.outcome != "failed":
            break
        failed.append(run)
    return failed


def is_stale(publication: Publication, now: datetime) -> bool:
    """Whether the newest publication is older than daily runs explain. `now` has a time zone."""
    return now.date() - publication.as_of > STALE_AFTER
