"""The real dbt project from raw tables to published gold, its unit tests, and the export."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lakepulse.data_dir import open_data_dir
from lakepulse.publications import publications, read_table
from lakepulse_dbt.publish import GRAIN
from tests.dbt.lake import PROJECTS, ROOT, Lake, first_load

TELL_THE_CLOCK = {"fct_data_freshness", "fct_data_quality"}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One run of two small projects."""
    lake = Lake(tmp_path_factory.mktemp("gold"))
    open_data_dir(lake.settings())
    first_load(lake)
    lake.step("build")
    lake.publish()
    return lake


def all_gold(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    return {name: lake.gold(name) for name in publications(lake.catalog())[0].snapshots}


def test_gold_says_what_raw_holds(published: Lake) -> None:
    projects = {(row["project"], row["kind"], row["name"]) for row in published.gold("dim_projects")}
    assert projects == {("Lake", "repo", "acme/lake"), ("Lake", "package", "pylake"), ("Pond", "repo", "acme/pond")}
    days = {row["date"]: row for row in published.gold("fct_all_time_issues_trend") if row["repo"] == "acme/lake"}
    assert (min(days), max(days), len(days)) == (date(2024, 2, 1), date(2024, 3, 10), 39)
    opened_and_open = [(days[day]["num_opened"], days[day]["num_open"]) for day in (date(2024, 2, 1), date(2024, 2, 3))]
    assert opened_and_open == [(1, 1), (0, 0)]
    assert days[date(2024, 3, 10)]["num_open"] == 1


def test_a_change_of_pypis_counting_touches_every_source_of_downloads(published: Lake) -> None:
    """Each counts what PyPI's one service records; so a break of one that the others lack was forgotten."""
    with (ROOT / "dbt" / "seeds" / "sources.csv").open(encoding="utf-8") as file:
        packages = [row["source"] for row in csv.DictReader(file) if row["kind"] == "package"]
    counting = {name for name in packages if name != "pypi_releases"}
    touched: dict[date, set[str]] = {}
    for row in published.gold("fct_known_breaks"):
        touched.setdefault(row["from_date"], set()).update(
            name for name in counting if name == row["source"] or name.startswith(f"{row['source']}_")
        )
    assert {day: names for day, names in touched.items() if names} == {
        date(2018, 7, 26): counting,
        date(2026, 8, 24): counting,
    }


def test_an_empty_lake_gives_empty_gold(lake: Lake) -> None:
    """The first run of all, before any load has made a raw table; and every dbt unit test, on what it left."""
    lake.step("build")
    lake.publish()
    gold = all_gold(lake)
    assert len(gold["dim_projects"]) == 3
    known = {*TELL_THE_CLOCK, "fct_known_breaks", "fct_project_state"}
    assert {name for name, rows in gold.items() if rows and name.startswith("fct_")} <= known
    assert {row["state"] for row in gold["fct_project_state"]} == {None}
    done = lake.python(
        *("-m", "dbt.cli.main", "test", "--select", "test_type:unit", "--target-path", str(lake.folder / "target")),
        *("--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt"), "--no-use-colors"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DBT_LOG_PATH=str(lake.folder / "logs"),
        check=None,
    )
    assert done.returncode == 0, done.stdout
    results = json.loads((lake.folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    assert {result["status"] for result in results} == {"pass"}
    assert len(results) > 20


def test_the_zone_of_the_machine_changes_nothing(published: Lake) -> None:
    before = all_gold(published)
    newest = publications(published.catalog())[0]
    published.run_id = "kolkata"
    published.step("build", TZ="Asia/Kolkata")
    published.step("publish", TZ="Asia/Kolkata")
    after = all_gold(published)
    again = publications(published.catalog())[0]
    assert again.run_id == "kolkata"
    assert {name for name in before if before[name] != after[name]} <= TELL_THE_CLOCK
    # Equal content keeps its snapshot, so the same input gave the same bytes.
    assert {name for name in again.snapshots if again.snapshots[name] != newest.snapshots[name]} <= TELL_THE_CLOCK


def test_a_build_from_nothing_equals_an_incremental_one(published: Lake) -> None:
    before = all_gold(published)
    (published.data_dir / "build" / "build.duckdb").unlink()
    published.run_id = "anew"
    published.step("build")
    published.publish()
    after = all_gold(published)
    assert {name for name in before if before[name] != after[name]} <= TELL_THE_CLOCK


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_export_holds_the_newest_publication(published: Lake, kind: str) -> None:
    out = published.folder / f"out-{kind}"
    published.step("export", str(out))
    newest = publications(published.catalog())[0]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["run_id"], manifest["as_of"]) == (newest.run_id, "2024-03-10")
    assert (manifest["row_counts"], manifest["snapshot_ids"]) == (newest.row_counts, newest.snapshots)
    assert {path.name for path in out.iterdir()} == {"manifest.json"} | {
        f"{name}.{suffix}" for name in newest.snapshots for suffix in ("csv", "parquet")
    }
    for name in newest.snapshots:
        grain = published.catalog().load_table(f"gold.{name}").properties[GRAIN].split(",")
        expected = read_table(published.catalog(), newest, name).to_pylist()
        expected.sort(key=lambda row: tuple(row[column] for column in grain))
        rows = pq.read_table(out / f"{name}.parquet").to_pylist()
        assert rows == expected
        if kind == "csv":
            with (out / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                header, *lines = csv.reader(file)
            assert header == read_table(published.catalog(), newest, name).column_names
            assert lines == [[as_csv(value) for value in row.values()] for row in expected]


def as_csv(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat(timespec="microseconds")
        case float():
            return f"{value:g}" if value.is_integer() else str(value)
        case _:
            return str(value)


def test_an_export_replaces_an_earlier_one_and_nothing_else(published: Lake, tmp_path: Path) -> None:
    out = tmp_path / "out"
    published.step("export", str(out))
    (out / "fct_releases.csv").write_text("damaged", encoding="utf-8")
    published.step("export", str(out))
    assert (out / "fct_releases.csv").read_text(encoding="utf-8").startswith('"project"')
    (out / "mine.txt").write_text("keep", encoding="utf-8")
    refused = published.step("export", str(out), check=1)
    assert (
        refused.stderr == f"error: {out} is not empty and holds nothing that this command wrote earlier; name another folder\n"
    )
    assert (out / "mine.txt").read_text(encoding="utf-8") == "keep"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_there_is_nothing_to_export_before_the_first_publication(lake: Lake, tmp_path: Path) -> None:
    refused = lake.step("export", str(tmp_path / "out"), check=1)
    assert refused.stderr.startswith("error: nothing is published yet")
    assert not (tmp_path / "out").exists()


def test_a_project_that_is_taken_off_the_list_leaves_gold(published: Lake) -> None:
    """The last of this file: it changes the list."""
    published.projects = PROJECTS[: PROJECTS.index("  - name: Pond")]
    published.run_id, published.as_of = "without-pond", "2024-03-11"
    published.step("build")
    published.publish()
    for name, rows in all_gold(published).items():
        assert not [row for row in rows if "acme/pond" in row.values() or "Pond" in row.values()], name
    assert any(row["repo"] == "acme/lake" for row in published.gold("fct_all_time_author_commits_trend"))
    raw = published.catalog().load_table("raw.commits").scan().to_arrow().to_pylist()
    assert "acme/pond" in {row["repo"] for row in raw}
    older = next(publication for publication in publications(published.catalog()) if publication.run_id == "run-1")
    rows = read_table(published.catalog(), older, "fct_all_time_author_commits_trend").to_pylist()
    assert "acme/pond" in {row["repo"] for row in rows}
