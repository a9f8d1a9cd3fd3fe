"""Schema drift: what is taken, what is held back, and how that is loaded after a fix."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from spark_apps import tables
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, commit, download, issue, land


def test_drift_without_loss_is_taken(lake: Lake) -> None:
    drifted = [
        issue(1, new_field={"deep": [1, 2]}),
        issue(2) | {"number": "2", "comments": "7", "id": 1002.0},
        issue(3, user=None, labels=None, author_association=None, title=None, draft="true"),
        issue(4, created_at="2026-10-01T02:00:00.5+02:00"),
        {key: value for key, value in issue(5).items() if key not in ("labels", "closed_at", "html_url")},
    ]
    land(lake.store, "github_issues", drifted)
    report = lake.load()
    assert report.details["tables"]["issues"]["quarantined"] == 0
    rows = {row["number"]: row for row in lake.rows("issues")}
    assert list(rows) == [1, 2, 3, 4, 5]
    assert (rows[2]["comments_count"], rows[2]["issue_id"]) == (7, 1002)
    assert (rows[3]["author_login"], rows[3]["labels"], rows[3]["title"], rows[3]["is_draft"]) == (None, None, None, True)
    assert rows[4]["created_at"] == datetime(2026, 10, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert json.loads(rows[1]["payload"])["new_field"] == {"deep": [1, 2]}


BAD = {
    "number: x is not a bigint": issue(1) | {"number": "x"},
    "number: missing": issue(1) | {"number": None},
    "issue_id: 99999999999999999999 is not a bigint": issue(1) | {"id": 99999999999999999999},
    "state: missing; is_draft: maybe is not a boolean": issue(1, state=None, draft="maybe"),
    "created_at: missing; updated_at: 2026 is not a timestamp": issue(1, created_at=None) | {"updated_at": "2026"},
    "not valid JSON, or a field of an unexpected type": issue(1, user="octocat"),
    "not a JSON object": [1, 2],
}


def test_what_cannot_be_typed_is_held_back_with_its_reason(lake: Lake) -> None:
    lines = [*BAD.values(), issue(99)]
    land(lake.store, "github_issues", lines[:5], lines[5:])
    report = lake.load()
    assert report.details["tables"]["issues"] | {"quarantined": len(BAD), "inserted": 1} == report.details["tables"]["issues"]
    assert [row["number"] for row in lake.rows("issues", "number")] == [99]
    held = sorted(lake.rows("quarantine"), key=lambda row: (row["page_file"], row["line"]))
    for row, (reason, payload), index in zip(held, BAD.items(), range(len(BAD)), strict=True):
        assert json.loads(row["payload"]) == payload
        assert (row["reason"], row["table_name"]) == (reason, "issues")
        assert (row["page_file"], row["line"]) == (f"page-{1 + index // 5:05d}.jsonl.gz", 1 + index % 5)
        assert (row["source"], row["scope"], row["resolved_at"]) == ("github_issues", "apache/iceberg", None)
        assert (row["kind"], row["row_count"]) == ("line", 1)
    assert len(lake.rows("landings")) == 1


def test_null_bytes_and_nested_bombs_do_not_stop_a_load(lake: Lake) -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    land(lake.store, "github_commits", [commit("a", extra=deep), commit("\x00b")])
    lake.load()
    assert [row["sha"] for row in lake.rows("commits", "sha")] == ["\x00b", "a"]


def fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teach the table what 'n/a' means, as a later version of its module would."""
    table = tables.all_tables()["downloads"]
    columns = tuple(
        dataclasses.replace(column, text="CASE item.downloads WHEN 'n/a' THEN '0' ELSE item.downloads END")
        if column.name == "downloads"
        else column
        for column in table.columns
    )
    monkeypatch.setitem(tables.all_tables(), "downloads", dataclasses.replace(table, columns=columns))


def test_replay_loads_what_a_fix_can_type(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land(lake.store, "pypistats_overall", [download("2026-10-01", "n/a"), download("2026-10-02", 5)], scope="p")
    lake.load()
    land(lake.store, "pypistats_overall", [download("2026-10-03", "?"), download("2026-10-02", 6)], scope="p", started=at(60))
    lake.load()
    assert len(lake.rows("quarantine")) == 2
    assert lake.load(replay=True).rows == 0  # not fixed yet
    assert [row["resolved_at"] for row in lake.rows("quarantine")] == [None, None]

    fix(monkeypatch)
    report = lake.load(replay=True)
    assert report.details["tables"]["downloads"]["resolved"] == 1
    rows = lake.rows("downloads", "date", "downloads", "load_seq")
    assert [(str(r["date"]), r["downloads"]) for r in rows] == [("2026-10-01", 0), ("2026-10-02", 6)]
    assert [row["resolved_at"] is None for row in sorted(lake.rows("quarantine"), key=lambda r: r["landing_id"])] == [
        False,
        True,
    ]
    assert len(lake.rows("landings")) == 2


def test_replay_does_not_bring_back_what_a_later_landing_replaced(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, minutes in (("n/a", 0), (10, 60)):
        land(lake.store, "pypistats_overall", [download("2026-10-01", value)], scope="p", started=at(minutes))
    lake.load()
    fix(monkeypatch)
    lake.load(replay=True)
    assert [row["downloads"] for row in lake.rows("downloads", "downloads")] == [10]
    assert all(row["resolved_at"] for row in lake.rows("quarantine"))
