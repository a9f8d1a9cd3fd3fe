from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from dashboard.publications import Run, by_label, failed_since, is_stale, latest_runs, newest_first, newest_when_published
from lakepulse.publications import Publication
from lakepulse_dbt.warehouse import PUBLICATIONS_SCHEMA

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def row(run_id: str, as_of: date, published_at: datetime) -> dict[str, object]:
    return {
        "run_id": run_id,
        "as_of": as_of,
        "published_at": published_at,
        "is_demo": False,
        "code_version": "1",
        "snapshots": [("dim_projects", 7)],
        "row_counts": [("dim_projects", 2)],
    }


def published(rows: list[dict[str, object]]) -> pa.Table:
    """Rows as an engine gives them."""
    return pa.Table.from_pylist(rows, schema=PUBLICATIONS_SCHEMA)


def publication(as_of: date = date(2026, 11, 20), published_at: datetime = NOON) -> Publication:
    return Publication("run", as_of, published_at, False, "1", {}, {})


def run(outcome: str, hours: int, pipeline: str = "daily", as_of: date = date(2026, 11, 20)) -> Run:
    """A run that ended this many hours after noon."""
    ended_at = NOON + timedelta(hours=hours)
    return Run("run", pipeline, False, as_of, ended_at, ended_at, outcome, None, None, None)


def test_a_backfill_of_an_older_date_was_never_the_newest() -> None:
    old, new = publication(), publication(date(2026, 11, 21), NOON + timedelta(days=1))
    backfill = publication(date(2026, 11, 1), NOON + timedelta(days=2))
    found = [new, old, backfill]
    assert newest_when_published(found) == {old.key, new.key}


def test_a_plain_date_is_what_was_shown_that_day_and_a_later_backfill_is_listed_separately() -> None:
    day = date(2026, 11, 20)
    first, again = publication(), publication(published_at=NOON + timedelta(hours=1))
    next_day = publication(date(2026, 11, 21), NOON + timedelta(days=1))
    backfill = publication(published_at=NOON + timedelta(days=2))
    before_all = publication(date(2026, 11, 1), NOON + timedelta(days=2))
    found = [next_day, backfill, again, first, before_all]
    assert by_label(found) == {
        "2026-11-21": next_day,
        f"{day}, published 2026-11-22 12:00:00": backfill,
        f"{day}": again,
        f"{day}, published 2026-11-20 12:00:00": first,
        "2026-11-01": before_all,
    }


def test_the_newest_has_the_greatest_as_of_and_a_backfill_is_not_it() -> None:
    found = newest_first(
        published(
            [
                row("today", date(2026, 11, 20), NOON),
                row("backfill", date(2026, 10, 1), NOON + timedelta(hours=5)),
                row("today again", date(2026, 11, 20), NOON + timedelta(hours=1)),
            ]
        )
    )
    assert [publication.run_id for publication in found] == ["today again", "today", "backfill"]
    assert found[0].snapshots == {"dim_projects": 7}


def test_a_run_whose_clock_was_ahead_is_not_the_newest() -> None:
    ahead = datetime.now(UTC) + timedelta(days=300)
    found = newest_first(published([row("ahead", ahead.date(), ahead), row("today", date(2026, 11, 20), NOON)]))
    assert [publication.run_id for publication in found] == ["today", "ahead"]
    later = publication(date(2026, 11, 21), NOON + timedelta(days=1))
    assert newest_when_published([*found, later]) == {found[0].key, later.key}


def test_without_tables_there_are_no_publications_and_no_runs() -> None:
    assert newest_first(pa.table({})) == []
    assert latest_runs(pa.table({})) == []


def test_two_publications_of_one_run_have_different_keys() -> None:
    assert publication().key != publication(published_at=NOON + timedelta(seconds=1)).key


@pytest.mark.parametrize(
    ("runs", "noticed"),
    [
        ([run("failed", 1)], [1]),
        ([run("failed", 3), run("failed", 2), run("failed", -1)], [3, 2]),
        ([run("succeeded", 2), run("failed", 1)], []),
        ([run("failed", -1)], []),
        ([], []),
        # Runs that would publish nothing newer neither fix a failure nor count as one.
        ([run("succeeded", 2, "maintenance"), run("failed", 1)], [1]),
        ([run("succeeded", 2, as_of=date(2026, 10, 1)), run("failed", 1)], [1]),
        ([run("failed", 1, "maintenance")], []),
        ([run("failed", 1, as_of=date(2026, 10, 1))], []),
    ],
)
def test_only_a_failure_after_the_publication_is_worth_a_notice(runs: list[Run], noticed: list[int]) -> None:
    assert [found.ended_at for found in failed_since(runs, publication())] == [NOON + timedelta(hours=h) for h in noticed]


@pytest.mark.parametrize(("days", "stale"), [(0, False), (2, False), (3, True)])
def test_figures_are_old_after_two_missed_days(days: int, stale: bool) -> None:
    assert is_stale(publication(), NOON + timedelta(days=days)) is stale
