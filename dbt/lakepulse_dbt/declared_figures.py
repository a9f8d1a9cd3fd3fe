"""The figures that the project declares: one entry each in the YAML of the model that computes it.

`make render` writes them into a macro, since dbt gives models no look at each other's YAML while it
parses: `dim_figures` and `fct_figures` loop over it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from lakepulse.outcome import PermanentError, one_line
from lakepulse.sources import SOURCES
from lakepulse_dbt.raw_tables import project_folder

_MACROS = Path("macros") / "figure_models.sql"
_HEADER = "{# Written by `make render` from `config: meta: figures` of the models; edit it there. #}\n"


class Entry(BaseModel):
    """One figure.

    `window_days` are the days that it looks back, `sources` the landing sources that it is made of. With
    `needs_history` it cannot be told of a member whose history is cut. With `has_status` the model has columns
    `<figure>_status` and `<figure>_reason`. `headline` orders those that a summary shows; None: it does not.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    title: str
    question: Literal["alive", "carried", "answered", "adopted"]
    unit: str
    better: Literal["up", "down", "neither"]
    scope_kinds: list[Literal["repo", "package", "project"]]
    window_days: int
    sources: list[str]
    needs_history: bool = False
    has_status: bool = False
    headline: int | None = None
    definition: str
    link: str


class _Meta(BaseModel):
    figures: dict[str, Entry] = {}


class _Config(BaseModel):
    meta: _Meta = _Meta()


class _Model(BaseModel):
    name: str
    config: _Config = _Config()


class _File(BaseModel):
    """As much of a file of models as is read here; dbt reads the rest."""

    models: list[_Model] = []


def declared_figures(project: Path | None = None) -> dict[str, dict[str, Entry]]:
    """Model -> its figures by name, in the order of the files.

    Raises:
        PermanentError: a file or an entry is malformed, names an unknown source, or a figure is declared twice.
    """
    project = project or project_folder()
    found: dict[str, dict[str, Entry]] = {}
    seen: dict[str, Path] = {}
    for path in sorted((project / "models").rglob("*.yml")):
        for model in _read(path, project).models:
            for name, figure in model.config.meta.figures.items():
                where = f"{path.relative_to(project)}: figure {name}"
                if unknown := sorted(set(figure.sources) - SOURCES.keys()):
                    raise PermanentError(f"{where}: unknown source {', '.join(unknown)}; see lakepulse/sources.py")
                if name in seen:
                    raise PermanentError(f"{where}: already declared in {seen[name]}; choose another name")
                seen[name] = path.relative_to(project)
                found.setdefault(model.name, {})[name] = figure
    return found


def _read(path: Path, project: Path) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        problem = error.errors()[0]
        # A figure's entry is at models, number of the model, config, meta, figures, name.
        place = [str(part) for part in problem["loc"]]
        names = [f"figure {place[5]}", ".".join(place[6:])] if len(place) > 5 else [".".join(place)]
        words = [str(path.relative_to(project)), *filter(None, names), one_line(problem["msg"])]
        raise PermanentError(": ".join(words)) from None
    except yaml.YAMLError as error:
        raise PermanentError(f"{path.relative_to(project)}: cannot be read: {one_line(error)}") from None


def rendered(project: Path | None = None) -> dict[Path, str]:
    """The file that `make render` writes here, and its text.

    Raises:
        PermanentError: as in `declared_figures`.
    """
    project = project or project_folder()
    models = [
        {"model": model, "figures": {name: figure.model_dump() for name, figure in figures.items()}}
        for model, figures in declared_figures(project).items()
    ]
    # Jinja spells true, false and none as JSON does, but for null.
    text = json.dumps(models, indent=4, ensure_ascii=False).replace(": null", ": none")
    body = f"{{% macro figure_models() -%}}\n    {{{{- return({text}) -}}}}\n{{%- endmacro %}}\n"
    return {project / _MACROS: _HEADER + body}


def write(project: Path | None = None) -> list[Path]:
    """Write the rendered file; returns it if it changed.

    Raises:
        PermanentError: as in `declared_figures`.
    """
    files = rendered(project)
    changed = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(files[path], encoding="utf-8")
    return changed


def check_rendered(project: Path | None = None) -> None:
    """Check that the rendered file follows the models' YAML. A project without it, such as a small one of the tests, passes.

    Raises:
        PermanentError: it does not.
    """
    for path, text in rendered(project).items():
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise PermanentError(f"{path} does not match the figures that the models declare; run make render")
