"""Odd rows keep what is sound of them: a text that cannot be used is null and named, the rest is loaded."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_apps.schema import EARLIEST, LATEST
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, commit, download, iso, issue, land, package_file, repository

SOUND = "2026-10-01T12:00:00Z"
WHEN = datetime(2026, 10, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BAD_DATES = (
    "0000-01-01T00:00:00Z",
    "1803-03-21T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1970-01-01T23:59:59Z",
    "1970-01-02T00:30:00+01:00",
    "2200-01-01T00:00:00Z",
    "2286-11-20T17:46:39Z",
    "2026-02-30T00:00:00Z",
    "2026-10-01T24:01:00Z",
    "2026-10-01",
    "2026",
    "yesterday",
    "",
)
GOOD_DATES = {
    "1970-01-02T00:00:00Z": datetime(1970, 1, 2, tzinfo=UTC),
    "1970-01-01T23:30:00-01:00": datetime(1970, 1, 2, 0, 30, tzinfo=UTC),
    "2199-12-31T23:59:59Z": datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC),
    SOUND: WHEN,
}


def dated(sha: str, authored: object, committed: object) -> dict[str, Any]:
    """A commit with these dates; None leaves one out."""
    person = {"name": "Octo Cat", "email": "octo@example.org"}
    return commit(
        sha, commit={"author": person | {"date": authored}, "committer": person | {"date": committed}, "message": sha}
    )


def problem(column: str, text: object) -> str:
    return f"{column}: missing" if text is None else f"{column}: {text} is not a timestamp"


def test_a_commit_with_one_impossible_date_keeps_the_other(lake: Lake) -> None:
    items = [dated(f"a{n}", text, SOUND) for n, text in enumerate((*BAD_DATES, None))]
    items += [dated(f"c{n}", SOUND, text) for n, text in enumerate((*BAD_DATES, None))]
    items += [dated(f"g{n}", text, text) for n, text in enumerate(GOOD_DATES)]
    land(lake.store, "github_commits", items)
    report = lake.load()
    assert report.details["tables"]["commits"]["odd"] == 2 * len(BAD_DATES) + 2
    assert report.details["tables"]["commits"]["quarantined"] == 0
    rows = {row["sha"]: row for row in lake.rows("commits")}
    for n, text in enumerate((*BAD_DATES, None)):
        a, c = rows[f"a{n}"], rows[f"c{n}"]
        assert (a["authored_at"], a["committed_at"], a["odd"]) == (None, WHEN, problem("authored_at", text))
        assert (c["authored_at"], c["committed_at"], c["odd"]) == (WHEN, None, problem("committed_at", text))
        assert text is None or text in a["payload"]
        assert (a["author_login"], a["author_id"], a["message"], a["is_reachable"]) == ("octocat", 1, f"a{n}", True)
    for n, moment in enumerate(GOOD_DATES.values()):
        row = rows[f"g{n}"]
        assert (row["authored_at"], row["committed_at"], row["odd"]) == (moment, moment, None)


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "comments_count: 1.5 is not a bigint": ({"comments": 1.5}, "comments_count"),
    "is_draft: maybe is not a boolean": ({"draft": "maybe"}, "is_draft"),
    "created_at: 2026 is not a timestamp": ({"created_at": "2026"}, "created_at"),
    "updated_at: missing": ({"updated_at": None}, "updated_at"),
    "closed_at: 1970-01-01T00:00:00Z is not a timestamp": ({"closed_at": "1970-01-01T00:00:00Z"}, "closed_at"),
}


def test_an_odd_text_is_null_and_named_and_the_row_heals_when_it_is_fixed(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(n) | changes for n, (changes, _) in enumerate(ODD.values(), start=1)])
    land(lake.store, "pypi_releases", [package_file("1.0", uploaded_at=None)], scope="p", keys=["pkg-1.0.tar.gz"])
    land(lake.store, "github_repo", [repository(created_at="never", pushed_at="never", updated_at="never", forks_count="many")])
    lake.load()
    for (odd, (_, column)), row in zip(ODD.items(), sorted(lake.rows("issues"), key=lambda row: row["number"]), strict=True):
        assert (row["odd"], row[column], row["title"]) == (odd, None, f"Issue {row['number']}")
    (file,) = lake.rows("package_files")
    assert (file["uploaded_at"], file["odd"]) == (None, None)  # upstream gives none, which is no oddity
    # The snapshot is dated by the run.
    (snapshot,) = lake.rows("repo_snapshots")
    assert snapshot["odd"] == "; ".join(
        (
            "forks_count: many is not a bigint",
            "created_at: never is not a timestamp",
            "pushed_at: never is not a timestamp",
            "updated_at: never is not a timestamp",
        )
    )
    assert (snapshot["stargazers_count"], snapshot["forks_count"]) == (50, None)
    land(lake.store, "github_issues", [issue(n, 5) for n in range(1, len(ODD) + 1)], started=at(60))
    lake.load()
    rows = lake.rows("issues")
    assert [(row["odd"], row["updated_at"]) for row in rows] == [(None, at(5))] * len(ODD)


def test_a_row_without_its_key_or_any_date_is_held_back(lake: Lake) -> None:
    land(lake.store, "github_commits", [dated("a", "1970-01-01T00:00:00Z", "soon"), dated("b", None, None)])
    land(lake.store, "pypistats_overall", [download("1969-12-31", 5), download("2026-10-01", 5)], scope="p")
    lake.load()
    assert lake.rows("commits") == []
    assert [row["date"] for row in lake.rows("downloads")] == [date(2026, 10, 1)]
    assert sorted(row["reason"] for row in lake.rows("quarantine")) == [
        "authored_at: 1970-01-01T00:00:00Z is not a timestamp; committed_at: soon is not a timestamp",
        "authored_at: missing; committed_at: missing",
        "date: 1969-12-31 is not a date",
    ]


def version(day: str, name: str, downloads: object) -> dict[str, Any]:
    return {"date": day, "version": name, "downloads": downloads}


def test_of_rows_that_share_a_key_the_later_wins_and_says_so(lake: Lake) -> None:
    rows = [version("2026-10-01", "1.0", n) for n in (1, 2, 3)]
    rows += [version("2026-10-01", "1.1", 5)] * 2 + [version("2026-10-01", "1.2", 7)]
    rows += [version("2026-10-01", "1.3", 1), version("2026-10-01", "1.3", 2) | {"category": None}]
    land(lake.store, "import_versions", rows[:2], rows[2:], scope="p")
    report = lake.load()
    found = {row["category"]: (row["downloads"], row["odd"]) for row in lake.rows("downloads")}
    assert found == {
        "1.0": (3, "key: shared by 3 rows of its landing"),
        "1.1": (5, None),  # the same row twice
        "1.2": (7, None),
        "1.3": (2, "key: shared by 2 rows of its landing"),
    }
    assert (report.details["tables"]["downloads"]["odd"], report.details["tables"]["downloads"]["quarantined"]) == (2, 0)
    land(lake.store, "import_versions", rows[2:3], scope="p", started=at(60))
    lake.load()
    found = {row["category"]: (row["downloads"], row["odd"]) for row in lake.rows("downloads")}
    assert found["1.0"] == (3, None)
    assert found["1.3"] == (2, "key: shared by 2 rows of its landing")


@pytest.mark.parametrize("at_once", [True, False])
def test_a_version_whose_time_cannot_be_used_is_older_than_any_with_one(lake: Lake, at_once: bool) -> None:
    undated = {"updated_at": "?"}
    visits = [
        [issue(1, title="undated") | undated, issue(2, 5, title="dated"), issue(3, title="first") | undated],
        [issue(1, 3, title="dated"), issue(2, title="undated") | undated, issue(3, title="last") | undated],
    ]
    for number, items in enumerate(visits):
        land(lake.store, "github_issues", items, started=at(60 * number))
        if not at_once:
            lake.load(run_id=f"run-{number}")
    lake.load()
    rows = {row["number"]: (row["title"], row["updated_at"]) for row in lake.rows("issues")}
    assert rows == {1: ("dated", at(3)), 2: ("dated", at(5)), 3: ("last", None)}


texts = st.one_of(
    st.sampled_from([*BAD_DATES, *GOOD_DATES]),
    st.datetimes().map(iso),
    st.integers(-100_000, 200_000).map(lambda seconds: iso(EPOCH + timedelta(seconds=seconds))),
    st.text("0123456789-:TZ+", max_size=22),
    st.none(),
)


def usable(text: str | None) -> datetime | None:
    """The moment that a text of the APIs' form says, if a row can have it."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)", text or ""):
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if 1 < moment.year < 9999 and EARLIEST <= str(moment.astimezone(UTC).date()) < LATEST else None


@settings(max_examples=3, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(pairs=st.lists(st.tuples(texts, texts), min_size=200, max_size=200))
def test_any_pair_of_dates_keeps_the_usable_ones(
    engine: SparkSession, tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str | None, str | None]]
) -> None:
    lake = Lake(engine, tmp_path_factory.mktemp("pairs") / "data")
    items = [dated(f"{n:03d}", *pair) for n, pair in enumerate(pairs)]
    land(lake.store, "github_commits", items)
    lake.load()
    rows = {row["sha"]: row for row in lake.rows("commits")}
    kept = {f"{n:03d}": pair for n, pair in enumerate(pairs) if any(map(usable, pair))}
    assert rows.keys() == kept.keys()
    for sha, pair in kept.items():
        moments = tuple(map(usable, pair))
        assert (rows[sha]["authored_at"], rows[sha]["committed_at"]) == moments, pair
        columns = ("authored_at", "committed_at")
        odd = [problem(column, text) for column, text, moment in zip(columns, pair, moments, strict=True) if not moment]
        assert rows[sha]["odd"] == ("; ".join(odd) or None)
    assert len(lake.rows("quarantine")) == len(pairs) - len(kept)
