"""Builds that continue an earlier one: rows whose load sequence it has seen already, and what follows from what changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from lakepulse.data_dir import open_data_dir
from lakepulse.reports import read_reports
from lakepulse.store import open_store
from lakepulse_dbt.build_store import DuckDBStore
from tests.dbt.lake import Lake, at, first_load, issue, landing

# dbt leaves its log file to the garbage collector when it is invoked again in one process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file .*dbt.log:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in.*dbt.log:pytest.PytestUnraisableExceptionWarning"),
]


def bad_line(number: int) -> dict[str, object]:
    return {
        "landing_id": "github_issues/acme__lake/00000001",
        "source": "github_issues",
        "scope": "acme/lake",
        "table_name": "issues",
        "page_file": "page-00001.jsonl.gz",
        "line": number,
        "reason": "number: not a whole number",
        "loaded_at": at("2024-03-10"),
    }


def built(lake: Lake, run_id: str) -> tuple[list[str], list[int]]:
    """Landings and quarantined lines as bronze has them."""
    lake.run_id = run_id
    lake.build()
    with duckdb.connect(lake.data_dir / "build" / "build.duckdb", read_only=True) as connection:
        landings = connection.execute("select landing_id from bronze.landings order by 1").fetchall()
        lines = connection.execute("select line_number from bronze.quarantine order by 1").fetchall()
    return [row[0] for row in landings], [row[0] for row in lines]


def test_ledger_and_quarantine_rows_of_a_sequence_that_was_seen_arrive(lake: Lake) -> None:
    first_load(lake)
    lake.load(quarantine=[bad_line(1)], landings=[landing("github_commits", "acme/lake", "2024-03-10", 2)])
    landings, lines = built(lake, "run-1")
    assert (len(landings), lines) == (6, [1])
    # The load of issues took its sequence at the same time, and came to write after that build.
    lake.load_seq -= 1
    lake.load(quarantine=[bad_line(2)], landings=[landing("github_issues", "acme/lake", "2024-03-10", 2)])
    lake.load_seq -= 1
    landings, lines = built(lake, "run-2")
    assert "github_issues/acme__lake/00000002" in landings
    assert (len(landings), lines) == (7, [1, 2])


def gold(lake: Lake) -> dict[str, list[tuple[object, ...]]]:
    """Every gold table as it was built, its rows in order."""
    with duckdb.connect(lake.data_dir / "build" / "build.duckdb", read_only=True) as connection:
        tables = "select table_name from information_schema.tables where table_schema = 'gold_build'"
        names = [name for (name,) in connection.execute(tables).fetchall()]
        return {name: sorted(connection.table(f"gold_build.{name}").fetchall(), key=str) for name in names}


def test_a_build_of_what_changed_equals_one_of_everything(lake: Lake, tmp_path: Path) -> None:
    """In the same date: an issue that is closed, then landings that found nothing new."""
    (tmp_path / "whole").mkdir()
    whole = Lake(tmp_path / "whole")
    open_data_dir(whole.settings())
    for each in (lake, whole):
        first_load(each)
        if each is lake:
            built(each, "run-1")
        each.load(
            issues=[issue("acme/lake", 1, "2024-02-01", "2024-03-09")],
            landings=[landing("github_issues", "acme/lake", "2024-03-10", 2)],
        )
        if each is lake:
            built(each, "run-2")
        each.load(landings=[landing("github_commits", "acme/lake", "2024-03-10", 3)])
        built(each, "run-3")
    store = open_store(lake.settings())
    models = [read_reports(store, f"run-{number}")[0].details["models"] for number in (1, 2, 3)]
    assert models[0] > models[1] > models[2] > 0
    parts, all_at_once = gold(lake), gold(whole)
    assert parts.keys() == all_at_once.keys()
    for name, rows in all_at_once.items():
        if name in {"fct_data_freshness", "fct_data_quality"}:  # they have the age of data, by the clock
            assert len(parts[name]) == len(rows) > 0
        else:
            assert parts[name] == rows, name
    # An hour later nothing is new, but everything is older.
    state = DuckDBStore(lake.settings()).state()
    assert state is not None
    assert state.passed is not None
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1, seconds=1)
    DuckDBStore(lake.settings()).save(
        state.model_copy(update={"passed": state.passed.model_copy(update={"built_at": an_hour_ago})})
    )
    built(lake, "run-4")
    assert gold(lake)["fct_data_freshness"] != parts["fct_data_freshness"]
