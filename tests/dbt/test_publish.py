"""Publishing what a build left behind: real DuckDB, PyIceberg and SQLite catalog; kills are real exits of a process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update import AddSnapshotUpdate, SetSnapshotRefUpdate

from lakepulse.outcome import PermanentError
from lakepulse.publications import publications, read_table
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt import publish as publishing
from lakepulse_dbt.publish import AS_OF, GRAIN, RUN_ID
from tests.dbt.lake import Lake

Tables = dict[str, tuple[list[str], pa.Table]]


def tables(stars: dict[str, int], tags: tuple[str, ...] = ("1.0",)) -> Tables:
    """Two gold tables: one changes from run to run, the other seldom."""
    repos = pa.table({"repo": pa.array(stars, pa.string()), "stars": pa.array(stars.values(), pa.int64())})
    moments = pa.array([1704164645000006] * len(tags), pa.timestamp("us"))
    return {
        "fct_stars": (["repo"], repos),
        "fct_tags": (["tag"], pa.table({"tag": pa.array(tags, pa.string()), "at": moments})),
    }


def run(lake: Lake, run_id: str, gold: Tables, as_of: str = "2024-03-10") -> None:
    lake.run_id, lake.as_of = run_id, as_of
    lake.stage(**gold)
    lake.publish()


def stars(lake: Lake) -> dict[str, int]:
    """What a reader of the newest publication sees."""
    return {row["repo"]: row["stars"] for row in lake.gold("fct_stars")}


def test_a_run_is_published(lake: Lake) -> None:
    run(lake, "run-1", tables({"b": 2, "a": 1}))
    (publication,) = publications(lake.catalog())
    assert (publication.run_id, publication.is_demo, str(publication.as_of)) == ("run-1", True, "2024-03-10")
    assert (publication.code_version, publication.row_counts) == ("c0de", {"fct_stars": 2, "fct_tags": 1})
    table = lake.catalog().load_table("gold.fct_stars")
    (snapshot,) = table.snapshots()
    assert snapshot.snapshot_id == publication.snapshots["fct_stars"]
    assert snapshot.summary is not None
    assert (snapshot.summary[RUN_ID], snapshot.summary[AS_OF]) == ("run-1", "2024-03-10")
    assert table.metadata.refs["publication-run-1"].snapshot_id == snapshot.snapshot_id
    assert (table.properties["comment"], table.properties[GRAIN]) == ("About fct_stars.", "repo")
    assert table.schema().find_field("repo").doc == "The key."
    assert stars(lake) == {"a": 1, "b": 2}
    (report,) = read_reports(open_store(lake.settings()), "run-1")
    assert (report.step, report.outcome, report.rows) == ("publish", "succeeded", 3)
    assert report.details == {"changed": ["fct_stars", "fct_tags"], "alerts": [], "unchecked": [], "alerts_error": None}


def test_publishing_twice_changes_nothing(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}))
    names = ("gold.publications", "gold.fct_stars", "gold.fct_tags")
    before = [lake.catalog().load_table(name).metadata_location for name in names]
    lake.publish()
    assert [lake.catalog().load_table(name).metadata_location for name in names] == before


def test_unchanged_content_keeps_its_snapshot_whatever_its_order(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}, ("1.0", "2.0")))
    run(lake, "run-2", tables({"a": 2}, ("2.0", "1.0")), "2024-03-11")
    newer, older = publications(lake.catalog())
    assert newer.snapshots["fct_tags"] == older.snapshots["fct_tags"]
    assert newer.snapshots["fct_stars"] != older.snapshots["fct_stars"]
    table = lake.catalog().load_table("gold.fct_tags")
    assert len(table.snapshots()) == 1
    assert {name: reference.snapshot_id for name, reference in table.metadata.refs.items()} == dict.fromkeys(
        ("main", "publication-run-1", "publication-run-2"), newer.snapshots["fct_tags"]
    )
    assert read_reports(open_store(lake.settings()), "run-2")[0].details["changed"] == ["fct_stars"]


def test_each_changed_table_gets_one_commit_with_one_snapshot(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}))
    before = lake.catalog().load_table("gold.fct_stars")
    run(lake, "run-2", tables({"a": 2}), "2024-03-11")
    after = lake.catalog().load_table("gold.fct_stars")
    assert len(after.metadata.metadata_log) == len(before.metadata.metadata_log) + 1
    snapshots = after.snapshots()
    assert [snapshot.summary.operation for snapshot in snapshots if snapshot.summary] == [Operation.APPEND, Operation.OVERWRITE]


def test_an_older_publication_is_read_by_its_snapshots(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}))
    run(lake, "run-2", tables({"a": 2}), "2024-03-11")
    _, older = publications(lake.catalog())
    assert read_table(lake.catalog(), older, "fct_stars").to_pylist() == [{"repo": "a", "stars": 1}]
    assert stars(lake) == {"a": 2}


def test_a_backfill_is_not_the_newest(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 5}), "2024-03-10")
    run(lake, "backfill", tables({"a": 1}), "2024-02-01")
    assert [publication.run_id for publication in publications(lake.catalog())] == ["run-1", "backfill"]
    assert stars(lake) == {"a": 5}
    run(lake, "again", tables({"a": 6}), "2024-03-10")
    assert stars(lake) == {"a": 6}


def test_an_empty_table_is_published(lake: Lake) -> None:
    run(lake, "run-1", tables({}))
    assert lake.gold("fct_stars") == []
    run(lake, "run-2", tables({"a": 1}), "2024-03-11")
    run(lake, "run-3", tables({}), "2024-03-12")
    assert lake.gold("fct_stars") == []
    assert publications(lake.catalog())[0].row_counts == {"fct_stars": 0, "fct_tags": 1}


@pytest.mark.parametrize(("run_id", "as_of"), [("run-2", "2024-03-10"), ("run-1", "2024-03-09")])
def test_only_the_build_of_this_run_is_published(lake: Lake, run_id: str, as_of: str) -> None:
    lake.stage(**tables({"a": 1}))
    lake.run_id, lake.as_of = run_id, as_of
    with pytest.raises(PermanentError, match="the build that passed is from run run-1 as of 2024-03-10, not from"):
        lake.publish()
    assert publications(lake.catalog()) == []
    (report,) = read_reports(open_store(lake.settings()), run_id)
    assert report.outcome == "failed"


def test_nothing_is_published_without_a_build(lake: Lake) -> None:
    refused = lake.step("publish", check=1)
    assert refused.stderr == "error: there is no build that passed its tests; run `lakepulse build` first\n"


@pytest.mark.parametrize("tables_before_kill", [0, 1, 2])
def test_a_publish_that_is_killed_leaves_readers_on_the_old_publication(lake: Lake, tables_before_kill: int) -> None:
    run(lake, "run-1", tables({"a": 1}))
    lake.run_id = "run-2"
    lake.stage(**tables({"a": 2}, ("1.0", "2.0")))
    lake.python(
        "-c",
        f"""
import os
from lakepulse.settings import load_settings
from lakepulse_dbt import publish
whole, done = publish.publish_table, []
def dying(*arguments):
    if len(done) == {tables_before_kill}:
        os._exit(137)
    done.append(whole(*arguments))
    if len(done) == 2:  # the row in gold.publications would come next
        os._exit(137)
    return done[-1]
publish.publish_table = dying
publish.publish(load_settings())
""",
        check=137,
    )
    assert [publication.run_id for publication in publications(lake.catalog())] == ["run-1"]
    assert stars(lake) == {"a": 1}
    assert [row["tag"] for row in lake.gold("fct_tags")] == ["1.0"]
    lake.publish()
    assert stars(lake) == {"a": 2}
    assert [row["tag"] for row in lake.gold("fct_tags")] == ["1.0", "2.0"]
    for name, snapshot_id in publications(lake.catalog())[0].snapshots.items():
        table = lake.catalog().load_table(f"gold.{name}")
        assert table.metadata.refs["publication-run-2"].snapshot_id == snapshot_id
        assert len(table.snapshots()) == 2


def test_a_table_that_changes_its_columns_keeps_its_older_snapshots(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}))
    changed = pa.table({"stars": [1.5], "repo": ["a"], "is_new": [True]})
    run(lake, "run-2", {"fct_stars": (["repo"], changed)}, "2024-03-11")
    table = lake.catalog().load_table("gold.fct_stars")
    assert table.schema().column_names == ["stars", "repo", "is_new"]
    assert lake.gold("fct_stars") == [{"stars": 1.5, "repo": "a", "is_new": True}]
    _, older = publications(lake.catalog())
    assert read_table(lake.catalog(), older, "fct_stars").to_pylist() == [{"repo": "a", "stars": 1}]


def test_a_type_that_reads_the_same_is_still_a_change(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}))
    run(lake, "run-2", {"fct_stars": (["repo"], pa.table({"repo": ["a"], "stars": [1.0]}))}, "2024-03-11")
    assert isinstance(lake.gold("fct_stars")[0]["stars"], float)


def test_a_table_that_leaves_gold_leaves_the_publication(lake: Lake) -> None:
    run(lake, "run-1", tables({"a": 1}))
    run(lake, "run-2", {"fct_stars": tables({"a": 1})["fct_stars"]}, "2024-03-11")
    newer, older = publications(lake.catalog())
    assert set(newer.snapshots) == {"fct_stars"}
    assert read_table(lake.catalog(), older, "fct_tags").num_rows == 1


def test_compaction_does_not_look_like_a_change(lake: Lake) -> None:
    """As Spark's `rewrite_data_files` leaves it: a snapshot of the operation replace, without our summary."""
    run(lake, "run-1", tables({"a": 1}))
    table = lake.catalog().load_table("gold.fct_stars")
    snapshot = table.current_snapshot()
    assert snapshot is not None
    # PyIceberg cannot compact, so the snapshot that Spark would add is put together here: same files, no summary of ours.
    compacted = snapshot.model_copy(
        update={
            "snapshot_id": 4711,
            "parent_snapshot_id": snapshot.snapshot_id,
            "sequence_number": table.metadata.next_sequence_number(),
            "summary": Summary(Operation.REPLACE),
        }
    )
    updates = (
        AddSnapshotUpdate(snapshot=compacted),
        SetSnapshotRefUpdate.model_validate(
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": compacted.snapshot_id}
        ),
    )
    lake.catalog().commit_table(table, (), updates)
    run(lake, "run-2", tables({"a": 1}), "2024-03-11")
    assert publications(lake.catalog())[0].snapshots["fct_stars"] == compacted.snapshot_id


def test_a_clock_set_back_does_not_hide_the_last_publication(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    run(lake, "run-1", tables({"a": 1}))

    class Early(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Early:
            return cls(2020, 1, 1, tzinfo=tz)

    monkeypatch.setattr(publishing, "datetime", Early)
    run(lake, "run-2", tables({"a": 2}))
    assert publications(lake.catalog())[0].run_id == "run-2"
    assert stars(lake) == {"a": 2}


def test_old_metadata_files_are_removed(lake: Lake) -> None:
    for number in range(25):
        run(lake, f"run-{number}", tables({"a": number}), "2024-03-11")
    folder = lake.data_dir / "warehouse" / "gold" / "fct_stars" / "metadata"
    assert len(list(folder.glob("*.metadata.json"))) <= 21
