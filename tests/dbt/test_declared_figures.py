"""The figures that the models' YAML declares, and the macro that `make render` writes of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from lakepulse.outcome import PermanentError
from lakepulse_dbt.declared_figures import check_rendered, declared_figures, rendered, write
from tests.dbt.lake import ROOT
from tests.dbt.rendering import MODELS, Rendering

PROJECT = ROOT / "dbt"

ENTRY = {
    "title": "Stars",
    "question": "adopted",
    "unit": "stars",
    "better": "up",
    "scope_kinds": ["repo"],
    "window_days": 1,
    "sources": ["github_repo"],
    "definition": "Stars.",
    "link": "https://example.org",
}


def declare(folder: Path, **files: dict[str, object]) -> Path:
    """A project whose files each declare the figures given for one model of that name."""
    (folder / "models").mkdir(exist_ok=True)
    (folder / "macros").mkdir(exist_ok=True)
    for name, figures in files.items():
        model = {"name": name, "config": {"meta": {"figures": figures}}}
        (folder / "models" / f"{name}.yml").write_text(yaml.safe_dump({"models": [model]}), encoding="utf-8")
    return folder


def test_the_shipped_macro_follows_the_models() -> None:
    check_rendered(PROJECT)


def test_the_macro_says_in_jinja_what_the_models_declare() -> None:
    [macro] = rendered(PROJECT).values()
    assert "null" not in macro.replace("none", "")
    declared = {
        model: {name: figure.model_dump() for name, figure in figures.items()}
        for model, figures in declared_figures(PROJECT).items()
    }
    called = Rendering("2024-03-10").called("figure_models")()
    assert {entry["model"]: entry["figures"] for entry in called} == declared
    assert declared.keys() <= MODELS.keys()


def test_each_figure_is_a_column_with_its_number_of_events() -> None:
    """What `fct_figures` reads of a model: the value, `_n`, and where it is declared `_status` and `_reason`."""
    rendering = Rendering("2024-03-10")
    for model, figures in declared_figures(PROJECT).items():
        sql, _ = rendering.model(model)
        for name, figure in figures.items():
            for suffix in ("", "_n", *(("_status", "_reason") if figure.has_status else ())):
                assert f" as {name}{suffix}" in sql or f".{name}{suffix}" in sql, f"{model}: {name}{suffix}"


def test_a_changed_entry_is_drift_until_it_is_rendered(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "models", tmp_path / "models")
    shutil.copytree(PROJECT / "macros", tmp_path / "macros")
    assert write(tmp_path) == []
    path = tmp_path / "models" / "silver" / "figures" / "_figures.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("title: Stars\n", "title: Stargazers\n"), encoding="utf-8")
    with pytest.raises(PermanentError, match=r"figure_models\.sql does not match .*; run make render$"):
        check_rendered(tmp_path)
    assert write(tmp_path) == [tmp_path / "macros" / "figure_models.sql"]
    check_rendered(tmp_path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"title": None}, "title: Field required"),
        ({"question": "loved"}, "question: Input should be 'alive', 'carried', 'answered' or 'adopted'"),
        ({"scope_kinds": ["repo", "person"]}, "scope_kinds.1: Input should be 'repo', 'package' or 'project'"),
        ({"window_days": "28"}, "window_days: Input should be a valid integer"),
        ({"headline": "first"}, "headline: Input should be a valid integer"),
        ({"window": 28}, "window: Extra inputs are not permitted"),
        ({"sources": ["github_repo", "npm"]}, "unknown source npm; see lakepulse/sources.py"),
    ],
)
def test_a_malformed_entry_is_one_line(tmp_path: Path, change: dict[str, object], line: str) -> None:
    entry = {key: value for key, value in (ENTRY | change).items() if value is not None}
    with pytest.raises(PermanentError) as refused:
        declared_figures(declare(tmp_path, silver_figures_stars={"stars": entry}))
    assert str(refused.value) == f"models/silver_figures_stars.yml: figure stars: {line}"


def test_a_figure_has_one_definition(tmp_path: Path) -> None:
    project = declare(tmp_path, silver_one={"stars": ENTRY}, silver_two={"stars": ENTRY})
    with pytest.raises(PermanentError) as refused:
        declared_figures(project)
    message = "models/silver_two.yml: figure stars: already declared in models/silver_one.yml; choose another name"
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["", "models: []", "models: [{name: silver_one}]", "unit_tests: []"])
def test_a_file_without_figures_declares_none(tmp_path: Path, text: str) -> None:
    (declare(tmp_path) / "models" / "silver.yml").write_text(text, encoding="utf-8")
    assert declared_figures(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    ["models: [", "- models", "models: [{name: one, config: {meta: {figures: [stars]}}}]", "models: [{name: one, config: 1}]"],
)
def test_a_file_that_says_something_else_is_one_line(tmp_path: Path, text: str) -> None:
    (declare(tmp_path) / "models" / "silver.yml").write_text(text, encoding="utf-8")
    with pytest.raises(PermanentError) as refused:
        declared_figures(tmp_path)
    assert str(refused.value).startswith("models/silver.yml: ")
    assert "\n" not in str(refused.value)
