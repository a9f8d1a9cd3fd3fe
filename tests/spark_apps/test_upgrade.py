"""A lake that an older version wrote: what it lacks is read from the kept payloads, once, without a landing."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

import spark_apps.load
from lakepulse.outcome import PermanentError
from spark_apps import quarantine, tables
from spark_apps.audit import audit_branch
from spark_apps.iceberg import IcebergTable
from spark_apps.maintain import maintain
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, commit, download, issue, land, pull, release, repository
from tests.spark_apps.test_crash import Killed
from tests.spark_apps.test_maintain import LATER
from tests.spark_apps.test_odd import SOUND, WHEN, dated

ADDED = {
    "releases": ("author_id", "author_type"),
    "repo_snapshots": ("is_disabled", "has_issues"),
    "pulls": ("merge_commit_sha",),
    "commits": (),
}


def make_older(lake: Lake, *names: str) -> None:
    """Take from tables what this version adds, as if an older one had written them."""
    for name in names:
        table = f"lakepulse.raw.{name}"
        lake.sql(f"ALTER TABLE {table} DROP COLUMNS {', '.join(('odd', *ADDED[name]))}")
        lake.sql(f"ALTER TABLE {table} UNSET TBLPROPERTIES ('lakepulse.typed-as')")


def scene(lake: Lake) -> None:
    """All that an upgrade has to do to commits: a new oddity, a date that was allowed, and lines that were held back."""
    land(lake.store, "github_commits", [dated("a", SOUND, SOUND), dated("b", "1969-12-31T12:00:00Z", SOUND)])
    land(lake.store, "github_commits", [dated("c", "1803-03-21T00:00:00Z", SOUND), dated("d", "?", "?")], started=at(60))
    lake.load()
    # The older version took the first of these two dates, and none of the second row.
    lake.sql("UPDATE lakepulse.raw.commits SET authored_at = TIMESTAMP '1969-12-31 12:00:00+00:00' WHERE sha = 'b'")
    lake.sql("DELETE FROM lakepulse.raw.commits WHERE sha = 'c'")
    columns = (
        "landing_id, source, scope, table_name, kind, page_file, 1, row_count, 'odd', payload, load_seq, loaded_at, resolved_at"
    )
    lake.sql(f"INSERT INTO lakepulse.raw.quarantine SELECT {columns} FROM lakepulse.raw.quarantine")  # noqa: S608
    make_older(lake, "commits")


def upgraded(lake: Lake) -> dict[str, Any]:
    return {row["sha"]: (row["authored_at"], row["committed_at"], row["odd"]) for row in lake.rows("commits")}


DUE = {
    "a": (WHEN, WHEN, None),
    "b": (None, WHEN, "authored_at: 1969-12-31T12:00:00Z is not a timestamp"),
    "c": (None, WHEN, "authored_at: 1803-03-21T00:00:00Z is not a timestamp"),
}


def test_new_columns_are_filled_from_the_payload_once(lake: Lake) -> None:
    land(lake.store, "github_releases", [release(1), release(2, author=None)], keys=[1, 2])
    land(lake.store, "github_repo", [repository(has_issues=False, disabled=True)])
    land(lake.store, "github_pulls", [pull(1, merge_commit_sha="f" * 40), pull(2)])
    lake.load()
    names = ("releases", "repo_snapshots", "pulls")
    before = {name: lake.content(name) for name in names}
    make_older(lake, *names)
    report = lake.load(run_id="run-2")
    assert {name: report.details["tables"][name]["retyped"] for name in names} == {
        "releases": 1,
        "repo_snapshots": 1,
        "pulls": 1,
    }
    # Columns that were added later stand last, so rows are compared by name.
    assert {name: lake.content(name) for name in names} == before
    # Only rows that changed have a new load sequence, by which dbt finds them.
    assert sorted((row["number"], row["load_seq"]) for row in lake.rows("pulls")) == [(1, 2), (2, 1)]
    snapshots = {name: lake.snapshot_id(name) for name in names}
    report = lake.load(run_id="run-3")
    assert {name: lake.snapshot_id(name) for name in names} == snapshots
    assert all(table["retyped"] == 0 for table in report.details["tables"].values())
    land(lake.store, "github_pulls", [pull(3)], started=at(60))
    lake.load(run_id="run-4")
    assert sorted((row["number"], row["load_seq"]) for row in lake.rows("pulls")) == [(1, 2), (2, 1), (3, 3)]


def test_rows_are_typed_as_today_and_lines_that_can_be_used_today_are_loaded(lake: Lake) -> None:
    scene(lake)
    report = lake.load(run_id="run-2")
    assert upgraded(lake) == DUE
    counts = report.details["tables"]["commits"]
    assert {name: counts[name] for name in ("retyped", "inserted", "resolved")} == {"retyped": 1, "inserted": 1, "resolved": 1}
    assert sorted((row["line"], row["resolved_at"] is None) for row in lake.rows("quarantine")) == [(1, False), (2, True)]
    assert len(lake.rows("landings")) == 2


@pytest.mark.parametrize(
    ("owner", "name", "when"),
    [
        (spark_apps.load, "_merge", "before"),
        (IcebergTable, "publish", "after"),
        (quarantine, "resolve", "before"),
        (IcebergTable, "stamp", "before"),
        (IcebergTable, "stamp", "after"),
    ],
)
def test_an_upgrade_that_died_goes_on(lake: Lake, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, when: str) -> None:
    scene(lake)
    original = getattr(owner, name)

    def dies(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(Killed):
        lake.load(run_id="run-2")
    monkeypatch.undo()
    lake.load(run_id="run-3")
    assert upgraded(lake) == DUE
    snapshot = lake.snapshot_id("commits")
    assert lake.load(run_id="run-4").rows == 0
    assert lake.snapshot_id("commits") == snapshot


def test_an_upgrade_commits_some_scopes_at_a_time(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, scope in enumerate(("apache/a", "apache/b", "apache/c"), start=1):
        land(lake.store, "github_pulls", [pull(1, merge_commit_sha=scope)], scope=scope, upstream_id=number)
    lake.load()
    make_older(lake, "pulls")
    monkeypatch.setattr(spark_apps.load, "batches", lambda items: [[item] for item in items])
    monkeypatch.setattr(spark_apps.load, "audit_branch", fails_on_the_second(audit_branch))
    with pytest.raises(PermanentError, match="the second"):
        lake.load(run_id="run-2")
    assert sum(row["merge_commit_sha"] is not None for row in lake.rows("pulls")) == 1
    report = lake.load(run_id="run-3")
    assert (report.details["tables"]["pulls"]["retyped"], report.details["tables"]["pulls"]["commits"]) == (2, 2)
    assert sorted(row["merge_commit_sha"] for row in lake.rows("pulls")) == ["apache/a", "apache/b", "apache/c"]


def fails_on_the_second(original: Any) -> Any:
    calls = []

    def audit(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise PermanentError("the second")
        original(*args, **kwargs)

    return audit


def test_what_a_landing_decided_stays(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal flag, and that rows of a landing shared a key, are in no payload."""
    land(lake.store, "github_commits", [commit("a"), commit("b"), commit("b", author=None)])
    land(lake.store, "github_commits", keys=["b"], started=at(60))
    lake.load()
    before = lake.rows("commits")
    assert sorted((row["sha"], row["is_reachable"], row["odd"]) for row in before) == [
        ("a", False, None),
        ("b", True, "key: shared by 2 rows of its landing"),
    ]
    table = tables.all_tables()["commits"]
    changed = tuple(dataclasses.replace(c, text="upper(item.sha)") if c.name == "message" else c for c in table.columns)
    monkeypatch.setitem(tables.all_tables(), "commits", dataclasses.replace(table, columns=changed))
    assert lake.load(run_id="run-2").details["tables"]["commits"]["retyped"] == 2
    after = lake.rows("commits")
    assert [row["message"] for row in after] == [row["sha"].upper() for row in after]
    untouched = {"message", "load_seq", "loaded_at"}
    assert [{k: v for k, v in row.items() if k not in untouched} for row in after] == [
        {k: v for k, v in row.items() if k not in untouched} for row in before
    ]


def test_a_load_sequence_is_not_used_again_after_maintenance(lake: Lake) -> None:
    for n in range(6):
        land(lake.store, "pypistats_overall", [download(f"2026-10-0{n + 1}", n)], scope="p", started=at(60 * n))
        lake.load(run_id=f"run-{n}")
    lake.sql(
        "UPDATE lakepulse.raw.downloads SET load_seq = 9 WHERE downloads = 0"
    )  # as an upgrade or a replay, not in the ledger
    maintain(lake.engine, lake.settings, datetime.now(UTC) + LATER)
    land(lake.store, "pypistats_overall", [download("2026-10-07", 6)], scope="p", started=at(600))
    lake.load(run_id="run-7")
    assert max((row["load_seq"], row["downloads"]) for row in lake.rows("downloads")) == (10, 6)


def test_issues_of_an_older_version_keep_all_they_had(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1, state_reason="not_planned"), issue(2)], keys=[1])
    lake.load()
    before = lake.content("issues")
    lake.sql("ALTER TABLE lakepulse.raw.issues DROP COLUMNS odd")
    lake.sql("ALTER TABLE lakepulse.raw.issues UNSET TBLPROPERTIES ('lakepulse.typed-as')")
    assert lake.load(run_id="run-2").details["tables"]["issues"]["commits"] == 0
    assert lake.content("issues") == before
