"""The store on Trino: its tables are Iceberg tables of the same catalog, here written by PyIceberg."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from lakepulse.outcome import PermanentError
from lakepulse.publications import publications
from lakepulse_dbt.build_store import GOLD_BUILD, GoldTable, Passed, State, TrinoStore, open_build_store
from lakepulse_dbt.publish import CONTENT
from tests.dbt.lake import Lake

ROWS = pa.table({"repo": ["b", "a", "c"], "share": [0.1, 2.0, None], "n": [1, 2, 3], "is_new": [True, False, None]})
GOLD = {"fct_shares": (["repo"], ROWS)}


def built(lake: Lake, rows: pa.Table) -> TrinoStore:
    """What dbt-trino leaves, and what `build` then writes down."""
    catalog = lake.catalog()
    catalog.create_namespace_if_not_exists(GOLD_BUILD)
    catalog.create_table_if_not_exists(f"{GOLD_BUILD}.fct_shares", rows.schema).append(rows)
    store = open_build_store(lake.settings(), catalog)
    assert isinstance(store, TrinoStore)
    table = GoldTable(name="fct_shares", grain=("repo",), description="About fct_shares.", columns={"repo": "The key."}, rows=0)
    passed = Passed(run_id=lake.run_id, as_of=date.fromisoformat(lake.as_of), is_demo=True, tables=(store.pinned(table),))
    store.save(State(code_version="c0de", raw={}, passed=passed))
    return store


@pytest.fixture
def on_trino(lake: Lake) -> Lake:
    lake.extra["ENGINE"] = "trino"
    return lake


def test_what_trino_built_is_published_as_it_was_when_it_passed(on_trino: Lake) -> None:
    store = built(on_trino, ROWS)
    state = store.state()
    assert state is not None
    assert state.passed is not None
    assert state.passed.tables[0].rows == 3
    # The next build is under way already.
    on_trino.catalog().load_table(f"{GOLD_BUILD}.fct_shares").append(ROWS)
    on_trino.publish()
    assert [row["repo"] for row in on_trino.gold("fct_shares")] == ["a", "b", "c"]
    assert publications(on_trino.catalog())[0].row_counts == {"fct_shares": 3}


def test_a_build_in_the_making_cannot_be_published(on_trino: Lake) -> None:
    store = built(on_trino, ROWS)
    store.save(State(code_version="c0de", raw={}))
    with pytest.raises(PermanentError, match="there is no build that passed its tests"):
        on_trino.publish()


def test_both_stores_publish_the_same_content(on_trino: Lake) -> None:
    built(on_trino, ROWS)
    on_trino.publish()
    first = on_trino.catalog().load_table("gold.fct_shares").current_snapshot()
    on_trino.extra.clear()
    on_trino.run_id = "embedded"
    on_trino.stage(**GOLD)
    on_trino.publish()
    second = on_trino.catalog().load_table("gold.fct_shares").current_snapshot()
    assert first is not None
    assert first.summary is not None
    assert first.summary[CONTENT]
    assert first == second
