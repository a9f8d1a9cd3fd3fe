"""Maintenance removes what nobody may need, and nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pytest

from lakepulse.locks import lock
from lakepulse.outcome import TemporaryError
from lakepulse.reports import read_reports
from spark_apps import maintain as maintain_module
from spark_apps.maintain import maintain
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, issue, land

LATER = timedelta(days=10)


def files_of(lake: Lake, table: str) -> set[Path]:
    location = unquote(urlsplit(lake.catalog.load_table(table).location()).path)
    return {path for path in Path(location).rglob("*") if path.is_file()}


def publish(lake: Lake, run_id: str, value: int | None, published_at: datetime) -> int:
    """One gold table and its row in gold.publications, as publish leaves them; without a value nothing new was built."""
    catalog = lake.catalog
    catalog.create_namespace_if_not_exists("gold")
    content = pa.table({"n": pa.array([value], pa.int64())})
    if catalog.table_exists("gold.facts"):
        table = catalog.load_table("gold.facts")
        if value is not None:
            table.overwrite(content)
    else:
        table = catalog.create_table("gold.facts", content.schema)
        table.append(content)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    if value is not None:
        table.manage_snapshots().create_tag(snapshot.snapshot_id, f"publication-{run_id}").commit()
    row = pa.table(
        {
            "run_id": [run_id],
            "as_of": pa.array([published_at.date()]),
            "published_at": pa.array([published_at], pa.timestamp("us", "UTC")),
            "snapshots": pa.array([[("facts", snapshot.snapshot_id)]], pa.map_(pa.string(), pa.int64())),
        }
    )
    catalog.create_table_if_not_exists("gold.publications", row.schema).append(row)
    return snapshot.snapshot_id


def test_old_reports_and_logs_go_and_landings_stay(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    folder = lake.settings.data_dir
    landed = [path for path in (folder / "landing").rglob("*") if path.is_file()]
    old = [folder / "runs/run-0/load.json", folder / "argo/daily-1/load-2/main.log", folder / "logs/run-0/load.log"]
    young = folder / "runs/run-1/fetch.json"
    for path in (*old, young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    then = (datetime.now(UTC) - timedelta(days=91)).timestamp()
    for path in (*old, *landed):
        os.utime(path, (then, then))
    assert maintain(lake.engine, lake.settings).details["traces_removed"] == len(old)
    assert not any(path.exists() for path in old)
    assert young.exists()
    assert landed
    assert all(path.exists() for path in landed)


def test_small_files_are_joined_and_what_they_held_stays(lake: Lake) -> None:
    for n in range(6):
        land(lake.store, "github_issues", [issue(n)], started=at(60 * n))
        lake.load()
    before = lake.rows("issues")
    report = maintain(lake.engine, lake.settings, datetime.now(UTC) + LATER)
    assert lake.rows("issues") == before
    assert len(lake.catalog.load_table("raw.issues").inspect.files()) == 1
    done = report.details["tables"]["raw.issues"]
    assert done["compacted_files"] == 6
    assert done["expired_snapshots"] == 7  # the loads' and the empty one that a first branch needs
    assert (done["files_removed"] >= 6, done["bytes_removed"] > 0) == (True, True)
    assert [step.step for step in read_reports(lake.store, "run-1")] == ["load", "maintain"]
    # A load afterwards goes on as if nothing had happened.
    land(lake.store, "github_issues", [issue(0), issue(6)], started=at(600))
    assert lake.load().rows == 1
    assert [row["load_seq"] for row in sorted(lake.rows("issues"), key=lambda row: row["number"])] == [1, 2, 3, 4, 5, 6, 7]


def test_publications_of_the_last_90_days_stay_readable(lake: Lake) -> None:
    now = datetime.now(UTC)
    snapshots = {
        "old": publish(lake, "old", 1, now - timedelta(days=91)),
        "kept": publish(lake, "kept", 2, now - timedelta(days=89)),
        "newest": publish(lake, "newest", 3, now - timedelta(days=1)),
    }
    report = maintain(lake.engine, lake.settings, now + LATER)  # 101, 99 and 11 days old by then
    table = lake.catalog.load_table("gold.facts")
    assert {name for name in table.refs() if name.startswith("publication-")} == {"publication-newest"}
    report = maintain(lake.engine, lake.settings, now + LATER)
    assert report.details["tables"]["gold.facts"]["removed_tags"] == 0
    assert table.scan(snapshot_id=snapshots["newest"]).to_arrow().to_pylist() == [{"n": 3}]
    assert table.snapshot_by_id(snapshots["old"]) is None


def test_over_a_year_every_publication_that_is_offered_is_readable(lake: Lake) -> None:
    """One a month; maintenance runs in between, and once it is killed when it has withdrawn the old ones."""
    start = datetime.now(UTC) - timedelta(days=400)
    snapshots: dict[str, int] = {}
    for month in range(13):
        day = start + timedelta(days=30 * month)
        snapshots[f"run-{month}"] = publish(lake, f"run-{month}", month, day)
        if month % 3 == 2:
            maintain(lake.engine, lake.settings, day + timedelta(days=15))
            table = lake.catalog.load_table("gold.facts")
            offered = lake.rows_of("gold.publications", "run_id")
            assert {row["run_id"] for row in offered} == {f"run-{number}" for number in range(month - 2, month + 1)}
            for row in offered:
                rows = table.scan(snapshot_id=snapshots[row["run_id"]]).to_arrow().to_pylist()
                assert rows == [{"n": int(row["run_id"].removeprefix("run-"))}]
    # Snapshots are as young as this test, so that only a later look finds them old enough.
    maintain(lake.engine, lake.settings, datetime.now(UTC) + LATER)
    table = lake.catalog.load_table("gold.facts")
    left = [row["run_id"] for row in lake.rows_of("gold.publications", "run_id")]
    assert {snapshots[run_id] for run_id in left} == {snapshot.snapshot_id for snapshot in table.snapshots()}
    assert {f"publication-{run_id}" for run_id in left} | {"main"} == table.refs().keys()


def test_a_snapshot_that_a_later_publication_names_too_outlives_the_one_that_tagged_it(lake: Lake) -> None:
    now = datetime.now(UTC)
    first = publish(lake, "first", 1, now - timedelta(days=91))
    assert publish(lake, "again", None, now - timedelta(days=1)) == first
    publish(lake, "newest", 2, now)
    maintain(lake.engine, lake.settings, now + LATER)
    table = lake.catalog.load_table("gold.facts")
    assert {row["run_id"] for row in lake.rows_of("gold.publications", "run_id")} == {"again", "newest"}
    assert table.scan(snapshot_id=first).to_arrow().to_pylist() == [{"n": 1}]
    maintain(lake.engine, lake.settings, now + timedelta(days=100))
    assert lake.catalog.load_table("gold.facts").snapshot_by_id(first) is None


def test_publications_are_withdrawn_before_what_they_name(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    publish(lake, "old", 1, now - timedelta(days=91))
    publish(lake, "newest", 2, now)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(maintain_module, "_maintain_table", dies)
    with pytest.raises(KeyboardInterrupt):
        maintain(lake.engine, lake.settings, now)
    assert [row["run_id"] for row in lake.rows_of("gold.publications", "run_id")] == ["newest"]


def test_what_dbt_builds_in_the_catalog_is_kept_small_under_the_lock_of_gold(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = lake.catalog
    catalog.create_namespace("bronze")
    rows = pa.table({"n": pa.array([1], pa.int64())})
    table = catalog.create_table("bronze.issues", rows.schema)
    for _ in range(6):
        table.append(rows)
    monkeypatch.setattr(maintain_module, "lock", lambda settings, name: lock(settings, name, wait_seconds=0.2))
    with lock(lake.settings, "gold"), pytest.raises(TemporaryError, match="holds the lock gold"):
        maintain(lake.engine, lake.settings, datetime.now(UTC) + LATER)
    report = maintain(lake.engine, lake.settings, datetime.now(UTC) + LATER)
    done = report.details["tables"]["bronze.issues"]
    assert (done["compacted_files"], done["expired_snapshots"]) == (6, 6)
    assert catalog.load_table("bronze.issues").scan().to_arrow().column("n").to_pylist() == [1] * 6


def test_tags_within_the_limit_keep_their_snapshots_from_expiring(lake: Lake) -> None:
    now = datetime.now(UTC)
    snapshots = [publish(lake, f"run{n}", n, now - timedelta(hours=2 - n)) for n in range(3)]
    maintain(lake.engine, lake.settings, now + timedelta(days=80))
    table = lake.catalog.load_table("gold.facts")
    assert [table.scan(snapshot_id=s).to_arrow().to_pylist() for s in snapshots] == [[{"n": n}] for n in range(3)]
    # The newest publication outlives its 90 days: a project that stopped still shows its last one.
    maintain(lake.engine, lake.settings, now + timedelta(days=200))
    table = lake.catalog.load_table("gold.facts")
    assert set(table.refs()) == {"main", "publication-run2"}
    assert [row["run_id"] for row in lake.rows_of("gold.publications", "run_id")] == ["run2"]


def test_only_orphans_older_than_three_days_go(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    lake.load()
    (data,) = [path for path in files_of(lake, "raw.issues") if path.suffix == ".parquet"]
    old, young = data.with_name("old-orphan.parquet"), data.with_name("young-orphan.parquet")
    for path, days in ((old, 4), (young, 2)):
        path.write_bytes(b"left by a load that died")
        moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
    report = maintain(lake.engine, lake.settings)
    assert (old.exists(), young.exists(), data.exists()) == (False, True, True)
    done = report.details["tables"]["raw.issues"]
    assert (done["orphans"], done["files_removed"], done["bytes_removed"]) == (1, 1, len(b"left by a load that died"))
    assert len(lake.rows("issues")) == 1


def test_maintenance_waits_for_a_load_and_other_tables_go_on(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land(lake.store, "github_issues", [issue(1)])
    lake.load()
    monkeypatch.setattr(maintain_module, "lock", lambda settings, name: lock(settings, name, wait_seconds=0))
    with lock(lake.settings, "raw.issues"), pytest.raises(TemporaryError, match=r"lock raw\.issues"):
        maintain(lake.engine, lake.settings)
    (_, report) = read_reports(lake.store, "run-1")
    assert (report.outcome, "raw.landings" in report.details["tables"]) == ("failed", True)
