"""What the dbt project declares of the raw tables."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from lakepulse.names import LANDINGS, QUARANTINE, RAW
from lakepulse.outcome import PermanentError
from lakepulse.sources import raw_tables
from lakepulse_dbt.raw_tables import declared_tables
from tests.dbt.lake import ROOT, Lake, commit


def test_every_raw_table_is_declared_without_the_payload() -> None:
    declared = declared_tables(ROOT / "dbt")
    assert set(declared) == set(raw_tables()) | {name.removeprefix(f"{RAW}.") for name in (LANDINGS, QUARANTINE)}
    assert not [name for name, schema in declared.items() if "payload" in schema.names]


def test_a_type_that_is_not_known_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    yaml = "sources: [{name: raw, tables: [{name: commits, columns: [{name: sha, data_type: text}]}]}]"
    (tmp_path / "models" / "_sources.yml").write_text(yaml, encoding="utf-8")
    with pytest.raises(PermanentError, match=r"commits\.sha: data_type 'text' is not one of "):
        declared_tables(tmp_path)


def test_a_column_that_an_older_raw_table_lacks_is_null(mini: Lake) -> None:
    older = pa.table({"repo": ["acme/lake"], "sha": ["a1"], "is_reachable": [True], "load_seq": [1], "payload": ["{}"]})
    mini.catalog().create_table("raw.commits", older.schema).append(older)
    model = mini.folder / "project" / "models" / "gold" / "fct_commits.sql"
    model.write_text(model.read_text(encoding="utf-8").replace("author_login as", "coalesce(author_login, 'nobody') as"))
    mini.step("build")
    mini.publish()
    assert mini.gold("fct_commits") == [{"repo": "acme/lake", "author": "nobody", "num_commits": 1}]


def test_dbt_run_by_hand_reads_everything(mini: Lake) -> None:
    """No build of ours beside it: the plugin has no plan, and no earlier load is left out."""
    mini.load(commits=[commit("acme/lake", "a1", "2024-01-30", "ann")], releases=[])
    mini.load(commits=[commit("acme/lake", "a2", "2024-01-31", "bob")])
    (mini.data_dir / "build").mkdir()
    for _ in range(2):
        mini.python(
            *("-m", "dbt.cli.main", "build", "--project-dir", "project", "--profiles-dir", "project"),
            *("--target-path", str(mini.folder / "target"), "--log-path", str(mini.folder / "logs")),
            DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        )

    with duckdb.connect(mini.data_dir / "build" / "build.duckdb") as connection:
        rows = connection.execute("select author, num_commits from gold_build.fct_commits order by author").fetchall()
        assert rows == [("ann", 1), ("bob", 1)]
        assert connection.execute("select count(*) from raw.commits").fetchall() == [(2,)]
