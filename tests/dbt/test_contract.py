"""What `make render` writes into the dbt project from the raw tables and the register."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import get_args

import pytest
import yaml

from lakepulse import sources
from lakepulse.landing import Status
from lakepulse.outcome import PermanentError
from lakepulse_dbt.raw_tables import check_rendered
from spark_apps import contract, tables
from spark_apps.schema import Removal, Table, given, read


def test_rendered_files_are_those_of_the_raw_tables() -> None:
    for path, text in contract.rendered().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} has drifted; run make render"
    assert {path for path in contract.rendered() if path.suffix == ".sql"} >= set(contract.BRONZE.glob("*.sql"))


def test_write_replaces_what_differs_and_removes_the_model_of_a_table_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BRONZE", "SOURCES_YAML", "SEED", "MACROS"):
        path = getattr(contract, name)
        monkeypatch.setattr(contract, name, tmp_path / path.name)
    monkeypatch.setattr(contract, "BRONZE", tmp_path)
    contract.write()
    assert contract.write() == []
    (tmp_path / "bronze_commits.sql").write_text("select 1\n", encoding="utf-8")
    (tmp_path / "bronze_stars.sql").write_text("select 1\n", encoding="utf-8")
    contract.MACROS.unlink()
    # The macros are no bronze model, though this test keeps them in one folder.
    assert set(contract.write()) == {tmp_path / "bronze_stars.sql", tmp_path / "bronze_commits.sql", contract.MACROS}
    assert not (tmp_path / "bronze_stars.sql").exists()


def new_table(**changes: object) -> Table:
    """A raw table of stars as a contributor might add it."""
    fields: dict[str, object] = {
        "name": "stars",
        "description": "One star.",
        "item": "starred_at STRING, user STRUCT<id: STRING>",
        "columns": (
            given("repo", "string", "scope"),
            read("user_id", "bigint", "user.id", required=True),
            read("starred_at", "timestamp", "starred_at", required=True),
            read("note", "string", "note", in_bronze=False),
        ),
        "key": ("repo", "user_id"),
        "scope": "repo",
        "scope_value": "scope",
        "partitions": "bucket(16, repo)",
        "counted_by": ("starred_at",),
        "newest_by": "starred_at",
        "removal": Removal("is_removed", gone_value=True, key="user_id", born="starred_at"),
    }
    return Table(**(fields | changes))  # type: ignore[arg-type]


def test_a_new_table_and_source_reach_every_file_that_models_loop_over(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = dataclasses.replace(sources.SOURCES["github_repo"], name="github_stars", table="stars")
    for module in (sources, contract):
        monkeypatch.setattr(module, "REGISTER", (*sources.REGISTER, entry))
    monkeypatch.setattr(contract, "all_tables", lambda: tables.all_tables() | {"stars": new_table()})
    files = contract.rendered()
    model = files[contract.BRONZE / "bronze_stars.sql"]
    assert "config(unique_key=['repo', 'user_id'])" in model
    assert "{{ utc_timestamp('starred_at') }} as starred_at" in model
    assert "is_removed" in model
    assert "note" not in model
    assert "github_stars,repo,48,false" in files[contract.SEED]
    assert "- {name: starred_at, data_type: timestamp(6) with time zone}" in files[contract.SOURCES_YAML]
    assert "arguments: {columns: [repo, user_id]}" in files[contract.SOURCES_YAML]
    macros = files[contract.MACROS]
    assert "{'name': 'github_stars', 'table': 'stars', 'scope': 'repo', 'kind': none, 'newest_by': 'starred_at'}" in macros
    assert "'removal': 'is_removed', 'gone_value': true" in macros


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"counted_by": ()}, "counted_by: empty"),
        ({"counted_by": ("starred",)}, "event time: starred"),
        ({"also_dated": ("user_id",)}, "event time: user_id"),
        ({"newest_by": "note"}, "event time: note"),
        ({"undated_if": "is_draft"}, "undated_if: is_draft"),
        ({"key": ("repo", "note")}, "key: note"),
    ],
)
def test_a_fact_that_names_no_column_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(PermanentError, match=rf"raw table stars: .*: {problem}$"):
        new_table(**changes)


def test_a_shared_table_needs_a_kind_of_each_source(monkeypatch: pytest.MonkeyPatch) -> None:
    from spark_apps.schema import kind_by_source

    assert "WHEN 'pypistats_system' THEN 'system'" in kind_by_source("downloads")
    entry = dataclasses.replace(sources.SOURCES["pypistats_system"], name="npm", kind=None)
    monkeypatch.setattr(sources, "REGISTER", (*sources.REGISTER, entry))
    with pytest.raises(PermanentError, match=r"source npm has no kind in lakepulse/sources\.py"):
        kind_by_source("downloads")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the shipped project, as far as `make render` writes it."""
    for path in contract.rendered():
        copy = tmp_path / path.relative_to(contract.PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return tmp_path


def test_the_rendered_project_fits_the_register(project: Path) -> None:
    check_rendered(project)


@pytest.mark.parametrize(
    ("path", "old", "problem"),
    [
        ("models/bronze/_sources.yml", "      - name: pulls\n", "raw table pulls has no source"),
        ("models/bronze/bronze_pulls.sql", None, r"raw table pulls has no .*models/bronze/bronze_pulls\.sql"),
        ("macros/rendered.sql", "{'name': 'pulls',", r"pulls is missing in .*macros/rendered\.sql"),
        ("macros/rendered.sql", "{'name': 'github_pulls',", r"github_pulls is missing in .*macros/rendered\.sql"),
        ("seeds/sources.csv", "github_pulls,repo,48,false\n", r"source github_pulls differs .*seeds/sources\.csv"),
        ("seeds/sources.csv", "744", r"source import_versions differs .*seeds/sources\.csv"),
    ],
)
def test_a_build_refuses_what_differs_from_the_register(project: Path, path: str, old: str | None, problem: str) -> None:
    file = project / path
    if old is None:
        file.unlink()
    else:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, old.replace("pulls", "other").replace("744", "24")), encoding="utf-8")
    with pytest.raises(PermanentError, match=rf"{problem}.*; run make render$"):
        check_rendered(project)


def test_gold_knows_every_ending_of_a_visit() -> None:
    endings = set(get_args(Status))
    for model, others in (("fct_data_freshness", set()), ("fct_data_quality", {"ok", "left_out", "held_back"})):
        text = (contract.PROJECT / "models" / "gold" / f"{model}.yml").read_text(encoding="utf-8")
        columns = {column["name"]: column for column in yaml.safe_load(text)["models"][0]["columns"]}
        (test,) = columns["status"]["data_tests"]
        assert set(test["accepted_values"]["arguments"]["values"]) == endings | others
