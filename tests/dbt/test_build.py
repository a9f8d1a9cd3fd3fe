"""Building with dbt: a small project that tests may break, on raw tables that change between the runs."""

from __future__ import annotations

import json

import duckdb
import pytest
from pyiceberg.types import StringType

from lakepulse.locks import lock
from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.publications import publications
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt import build as building
from lakepulse_dbt.build_store import GOLD_LOCK, State, open_build_store
from lakepulse_dbt.raw_tables import declared_tables
from tests.dbt.lake import Lake, at, commit

# dbt leaves its log file to the garbage collector when it is invoked again in one process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file .*dbt.log:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in.*dbt.log:pytest.PytestUnraisableExceptionWarning"),
]

FIRST = [commit("acme/lake", "a1", "2024-01-30", "ann"), commit("acme/lake", "a2", "2024-02-29", "bob")]
SECOND = [commit("acme/lake", "a3", "2024-03-02", "ann")]


def run(lake: Lake, run_id: str) -> dict[str, int]:
    """Build and publish; what a reader then sees."""
    lake.run_id = run_id
    lake.build()
    lake.publish()
    return {row["author"]: row["num_commits"] for row in lake.gold("fct_commits")}


def database(lake: Lake) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(lake.data_dir / "build" / "build.duckdb")


def edit(lake: Lake, path: str, old: str, new: str) -> None:
    file = lake.folder / "project" / "models" / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_commands_build_and_publish_and_leave_nothing_in_the_project(mini: Lake) -> None:
    project = mini.folder / "project"
    before = sorted(project.rglob("*"))
    mini.load(commits=FIRST)
    built = mini.step("build")
    assert mini.step("publish").stdout == built.stdout == ""
    assert {row["author"]: row["num_commits"] for row in mini.gold("fct_commits")} == {"ann": 1, "bob": 1}
    assert mini.gold("fct_releases") == []
    assert sorted(project.rglob("*")) == before
    build, publish = read_reports(open_store(mini.settings()), "run-1")
    assert (build.step, build.rows, build.details) == (
        "build",
        2,
        {"models": 3, "tests": 5, "failures": [], "tables": {"fct_commits": 2, "fct_releases": 0}},
    )
    assert (publish.step, publish.rows) == ("publish", 2)


def test_a_failing_data_test_publishes_nothing(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    mini.load(commits=[commit("acme/bad", "c1", "2024-03-02", "mal")])
    mini.run_id = "run-2"
    failed = mini.step("build", check=1)
    assert failed.stderr.splitlines()[-1] == "error: data tests failed: no_bad_repo (1 rows); nothing is published"
    (report,) = read_reports(open_store(mini.settings()), "run-2")
    assert (report.outcome, report.details["failures"]) == ("failed", ["no_bad_repo (1 rows)"])
    with pytest.raises(PermanentError, match="there is no build that passed its tests"):
        mini.publish()
    assert [publication.run_id for publication in publications(mini.catalog())] == ["run-1"]


def test_a_model_that_fails_is_named(mini: Lake) -> None:
    mini.load(commits=FIRST)
    edit(mini, "gold/fct_releases.sql", "tag_name,", "tag_name, no_such_column,")
    with pytest.raises(PermanentError, match=r"dbt could not build: fct_releases: .*no_such_column.*; nothing is published"):
        mini.build()


def test_a_gold_model_without_a_grain_is_refused(mini: Lake) -> None:
    mini.load(commits=FIRST)
    edit(mini, "gold/gold.yml", "grain: [repo, tag_name]", "owner: nobody")
    with pytest.raises(PermanentError, match=r"models/gold/fct_releases\.sql: a gold model needs its grain"):
        mini.build()


def test_a_gold_model_whose_grain_is_not_tested_is_refused(mini: Lake) -> None:
    mini.load(commits=FIRST)
    edit(mini, "gold/gold.yml", "columns: [repo, tag_name]", "columns: [tag_name]")
    with pytest.raises(PermanentError, match=r"fct_releases\.sql: a gold model needs the data test grain of repo, tag_name$"):
        mini.build()


def test_a_bad_project_list_is_one_line(mini: Lake) -> None:
    mini.projects = "projects: []\n"
    refused = mini.step("build", check=1)
    assert refused.stderr.count("\n") == 1
    assert "projects.yaml:1:" in refused.stderr


def test_only_new_loads_are_read_while_nothing_else_changed(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    mini.load(commits=[*SECOND, FIRST[1] | {"is_reachable": False}])
    assert run(mini, "run-2") == {"ann": 2}
    with database(mini) as connection:
        assert connection.execute("select sha from raw.commits order by sha").fetchall() == [("a2",), ("a3",)]
    mini.as_of = "2024-03-11"
    assert run(mini, "run-3") == {"ann": 2}
    with database(mini) as connection:
        assert connection.execute("select sha from raw.commits").fetchall() == []


def release(number: int) -> dict[str, object]:
    published = at("2024-02-01")
    return {"repo": "acme/lake", "repo_id": 1, "release_id": number, "tag_name": str(number), "published_at": published}


def built(lake: Lake) -> tuple[int, int]:
    """Models and tests that the last build ran."""
    (report,) = [each for each in read_reports(open_store(lake.settings()), lake.run_id) if each.step == "build"]
    return report.details["models"], report.details["tests"]


def test_with_nothing_new_nothing_is_built_and_the_publication_names_the_same_snapshots(mini: Lake) -> None:
    mini.load(commits=FIRST, releases=[release(1)])
    before = run(mini, "run-1")
    assert built(mini) == (3, 5)
    tables = [mini.catalog().load_table(f"gold.{name}").metadata_location for name in ("fct_commits", "fct_releases")]
    for run_id in ("run-2", "run-3"):
        assert run(mini, run_id) == before
        assert built(mini) == (0, 0)
    assert [mini.catalog().load_table(f"gold.{name}").metadata_location for name in ("fct_commits", "fct_releases")] == tables
    found = publications(mini.catalog())
    assert [publication.run_id for publication in found] == ["run-3", "run-2", "run-1"]
    assert found[0].snapshots == found[1].snapshots == found[2].snapshots
    assert found[0].row_counts == found[2].row_counts
    reports = read_reports(open_store(mini.settings()), "run-3")
    assert [(report.step, report.rows) for report in reports] == [("build", 3), ("publish", 3)]


def test_what_follows_from_a_raw_table_that_changed_is_built_and_nothing_else(mini: Lake) -> None:
    mini.load(commits=FIRST, releases=[release(1)])
    run(mini, "run-1")
    commits = mini.catalog().load_table("gold.fct_commits").metadata_location
    mini.load(releases=[release(2)])
    assert run(mini, "run-2") == {"ann": 1, "bob": 1}
    assert built(mini) == (1, 1)
    assert [row["tag_name"] for row in mini.gold("fct_releases")] == ["1", "2"]
    assert mini.catalog().load_table("gold.fct_commits").metadata_location == commits
    newer, older = publications(mini.catalog())
    assert (newer.snapshots["fct_commits"] == older.snapshots["fct_commits"], newer.snapshots != older.snapshots) == (
        True,
        True,
    )


@pytest.mark.parametrize("change", ["date", "projects", "code", "tables", "failure"])
def test_everything_is_built_where_anything_else_is_not_the_same(mini: Lake, change: str) -> None:
    mini.load(commits=FIRST, releases=[release(1)])
    run(mini, "run-1")
    match change:
        case "date":
            mini.as_of = "2024-03-11"
        case "projects":
            mini.projects = mini.projects.replace("Pond", "Lagoon")
        case "code":
            edit(mini, "gold/fct_releases.sql", "select", "select -- something else\n")
        case "tables":
            with database(mini) as connection:
                connection.execute("drop table gold_build.fct_releases")
        case "failure":
            mini.load(commits=[commit("acme/bad", "c1", "2024-03-02", "mal")])
            mini.run_id = "run-failed"
            with pytest.raises(PermanentError, match="data tests failed"):
                mini.build()
            mini.load(commits=[commit("acme/bad", "c1", "2024-03-02", "mal", is_reachable=False)])
    assert run(mini, "run-2") == {"ann": 1, "bob": 1}
    assert built(mini) == (3, 5)


def test_a_run_that_is_built_again_after_it_was_published_lends_no_snapshot(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    mini.load(commits=SECOND)
    mini.build()  # of run-1, whose publication stays as it is
    assert run(mini, "run-2") == {"ann": 2, "bob": 1}


def test_a_source_with_a_reader_that_is_not_incremental_is_read_whole(mini: Lake) -> None:
    for number in (1, 2):
        mini.load(commits=FIRST, releases=[release(number)])
        run(mini, f"run-{number}")
    assert [row["tag_name"] for row in mini.gold("fct_releases")] == ["1", "2"]
    assert mini.gold("fct_releases")[0]["published_at"] == at("2024-02-01").replace(tzinfo=None)


def test_all_models_of_a_run_see_the_raw_tables_as_they_were_when_it_started(mini: Lake) -> None:
    mini.load(commits=FIRST)
    mini.python(
        "-c",
        """
from lakepulse.settings import load_settings
from lakepulse_dbt import build
from tests.dbt.test_build import SECOND, Lake
from pathlib import Path
whole = build._Dbt.build
def late(self, *arguments):
    Lake(Path("."), load_seq=1).load(commits=SECOND)  # a load that ends while dbt starts
    return whole(self, *arguments)
build._Dbt.build = late
build.build(load_settings())
""",
    )
    mini.publish()
    assert {row["author"]: row["num_commits"] for row in mini.gold("fct_commits")} == {"ann": 1, "bob": 1}
    mini.load_seq = 2
    assert run(mini, "run-2") == {"ann": 2, "bob": 1}


def test_a_damaged_build_database_is_rebuilt(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    (mini.data_dir / "build" / "build.duckdb").write_bytes(b"not a database" * 1000)
    mini.load(commits=SECOND)
    assert run(mini, "run-2") == {"ann": 2, "bob": 1}


def test_new_code_rebuilds_everything(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    edit(mini, "bronze/bronze_commits.sql", "author_login,", "upper(author_login) as author_login,")
    assert run(mini, "run-2") == {"ANN": 1, "BOB": 1}


@pytest.mark.parametrize("change", ["dropped", "rolled back", "new column"])
def test_a_raw_table_with_another_past_is_read_whole(mini: Lake, change: str) -> None:
    mini.load(commits=FIRST)
    mini.load(commits=SECOND)
    run(mini, "run-1")
    expected = {"ann": 1, "bob": 1}
    table = mini.catalog().load_table("raw.commits")
    if change == "dropped":
        mini.catalog().drop_table("raw.commits")
        mini.load(commits=FIRST)
    elif change == "rolled back":
        first = next(snapshot for snapshot in table.snapshots() if snapshot.parent_snapshot_id is None)
        table.manage_snapshots().set_current_snapshot(snapshot_id=first.snapshot_id).commit()
    else:
        with table.update_schema() as update:
            update.add_column("note", StringType())
        with database(mini) as connection:
            connection.execute("delete from bronze.bronze_commits where sha = 'a1'")
        expected = {"ann": 2, "bob": 1}
    assert run(mini, "run-2") == expected


def test_a_model_broken_by_an_earlier_build_is_rebuilt(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    with database(mini) as connection:
        connection.execute("alter table bronze.bronze_commits drop column is_reachable")
    mini.load(commits=SECOND)
    assert run(mini, "run-2") == {"ann": 2, "bob": 1}


def test_a_build_that_was_killed_is_continued(mini: Lake) -> None:
    """Killed after bronze was merged and before gold was built on it."""
    mini.load(commits=FIRST)
    run(mini, "run-1")
    mini.load(commits=SECOND)
    mini.run_id = "run-2"
    mini.python(
        "-c",
        """
import os
from dbt.adapters.duckdb.connections import DuckDBConnectionManager as manager
from lakepulse.settings import load_settings
from lakepulse_dbt.build import build
whole = manager.execute
def dying(self, sql, *arguments, **named):
    if "fct_commits" in sql and "create" in sql:
        os._exit(137)
    return whole(self, sql, *arguments, **named)
manager.execute = dying
build(load_settings())
""",
        check=137,
    )
    with database(mini) as connection:
        assert connection.execute("select count(*) from bronze.bronze_commits").fetchall() == [(3,)]
        assert connection.execute("select sum(num_commits) from gold_build.fct_commits").fetchall() == [(2,)]
    with pytest.raises(PermanentError, match="there is no build that passed"):
        mini.publish()
    assert run(mini, "run-2") == {"ann": 2, "bob": 1}


def test_a_build_database_that_is_open_elsewhere_is_left_alone(mini: Lake) -> None:
    mini.load(commits=FIRST)
    run(mini, "run-1")
    with database(mini):
        refused = mini.step("build", check=75)
    assert refused.stderr.splitlines()[-1].endswith("is open in another program; close it there, then run again")
    assert run(mini, "run-2") == {"ann": 1, "bob": 1}


def test_two_builds_at_once_do_not_mix(mini: Lake) -> None:
    mini.load(commits=FIRST)
    with lock(mini.settings(), GOLD_LOCK), pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "lock", lambda settings, name: lock(settings, name, wait_seconds=0))
        with pytest.raises(TemporaryError, match="another run holds the lock gold"):
            mini.build()


def test_source_freshness_sees_the_newest_load_of_all(mini: Lake) -> None:
    mini.load(commits=FIRST, releases=[])
    run(mini, "run-1")
    run(mini, "run-2")
    options = ("--project-dir", "project", "--profiles-dir", "project", "--target-path", str(mini.folder / "target"))
    mini.python(
        *("-m", "dbt.cli.main", "source", "freshness", "--select", "source:raw.commits", *options),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DBT_LOG_PATH=str(mini.folder / "logs"),
    )
    (found,) = json.loads((mini.folder / "target" / "sources.json").read_text(encoding="utf-8"))["results"]
    assert (found["status"], found["max_loaded_at"]) == ("pass", "2024-03-10T12:00:00+00:00")


def test_an_engine_that_cannot_be_reached_is_no_reason_to_rebuild(mini: Lake) -> None:
    mini.load(commits=FIRST)
    mini.extra |= {"ENGINE": "trino", "TRINO_HOST": "127.0.0.1", "TRINO_PORT": "9"}
    store = open_build_store(mini.settings(), mini.catalog())
    now = building.raw_tables(mini.catalog(), declared_tables(mini.folder / "project"))
    store.save(State(code_version=building.code_version(mini.folder / "project"), raw=now))
    ended = mini.step("build", check=75)
    assert "rebuilding everything" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("error: dbt could not build: ")
    assert "run again when the engine is back" in ended.stderr.splitlines()[-1]


def test_a_contract_that_does_not_hold_is_one_line_of_columns() -> None:
    from dbt.exceptions import ContractError

    sql = [{"name": "num_open", "data_type": "BIGINT"}, {"name": "repo", "data_type": "VARCHAR"}]
    declared = [{"name": "num_open", "data_type": "VARCHAR"}, {"name": "month", "data_type": "DATE"}]
    message = str(ContractError(declared, sql))  # type: ignore[no-untyped-call]
    assert building._why(message, "models/gold/fct_x.sql") == (
        "models/gold/fct_x.sql and the YAML beside it differ: month is missing in the SQL, DATE in the YAML; "
        "num_open is BIGINT in the SQL, VARCHAR in the YAML; repo is VARCHAR in the SQL, missing in the YAML"
    )
    assert building._why("Runtime Error\n  no table", "models/gold/fct_x.sql") == "Runtime Error no table"
