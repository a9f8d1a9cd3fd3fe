"""Rows whose load sequence an earlier build has seen already, as loads that met or died leave them."""

from __future__ import annotations

import duckdb
import pytest

from tests.dbt.lake import Lake, at, first_load, landing

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
