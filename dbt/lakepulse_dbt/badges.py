"""SVG badges and a JSON file per project, for READMEs and programs elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

import structlog

from lakepulse.data_dir import look_into_data_dir
from lakepulse.figures import Figure, worded
from lakepulse.publications import newest_publication
from lakepulse.settings import Settings
from lakepulse_dbt.export import whole_folder, write_json
from lakepulse_dbt.figures import figures
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

log = structlog.get_logger()

INDEX = "index.json"

# Verdana at 11 px, as badges are commonly set; textLength makes an estimate exact.
_CHARACTER = 6.5
_MARGIN = 6
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {value}">
  <title>{label}: {value} ({title})</title>
  <rect width="{width}" height="20" rx="3" fill="#1f4e79"/>
  <rect width="{left}" height="20" rx="3" fill="#404040"/>
  <g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
    <text x="{margin}" y="14" textLength="{label_length}">{label}</text>
    <text x="{value_x}" y="14" textLength="{value_length}">{value}</text>
  </g>
</svg>
"""


def badges(settings: Settings, out: Path) -> None:
    """Write `<project>.json` and `<project>-<figure>.svg` for the newest publication into `out`, and `index.json`.

    Raises:
        PermanentError: nothing is published yet, or `out` holds something else.
    """
    look_into_data_dir(settings)
    with catalog_errors():
        catalog = open_catalog(settings)
        newest = newest_publication(catalog, settings)
        found = figures(catalog, newest)
    slugs = _slugs(list(dict.fromkeys(figure.scope for figure in found)))
    head = {"as_of": newest.as_of.isoformat(), "run_id": newest.run_id, "is_demo": newest.is_demo}
    with whole_folder(out, INDEX) as partial:
        for project, slug in slugs.items():
            own = [figure for figure in found if figure.scope == project]
            document = head | {"project": project, "figures": {figure.meaning.figure: _described(figure) for figure in own}}
            write_json(partial / f"{slug}.json", document)
            for figure in own:
                title = f"{project}, {'demo data' if newest.is_demo else 'as of'} {newest.as_of}"
                (partial / f"{slug}-{figure.meaning.figure}.svg").write_text(_badge(figure, title), encoding="utf-8")
        write_json(partial / INDEX, head | {"projects": {slug: project for project, slug in slugs.items()}})
    log.info("badges are written", folder=str(out), projects=len(slugs))


def _slugs(projects: list[str]) -> dict[str, str]:
    """File names for projects: letters, digits and hyphens, each its own."""
    slugs: dict[str, str] = {}
    for project in projects:
        plain = re.sub(r"[^a-z0-9]+", "-", project.casefold()).strip("-") or "project"
        slug, number = plain, 1
        while slug in slugs.values():
            number += 1
            slug = f"{plain}-{number}"
        slugs[project] = slug
    return slugs


def _described(figure: Figure) -> dict[str, object]:
    return {
        "value": figure.value,
        "n": figure.n,
        "status": figure.status,
        "reason": figure.reason,
        "before": figure.month_before,
        "change_percent": figure.change,
        "text": figure.text,
        "title": figure.meaning.title,
        "definition": figure.meaning.definition,
    }


def _badge(figure: Figure, title: str) -> str:
    label = figure.meaning.title
    value = figure.status if figure.value is None else worded(figure.value, figure.meaning.unit)
    label_length, value_length = (round(len(text) * _CHARACTER) for text in (label, value))
    left = label_length + 2 * _MARGIN
    return _SVG.format(
        width=left + value_length + 2 * _MARGIN,
        left=left,
        margin=_MARGIN,
        label=escape(label),
        label_length=label_length,
        value=escape(value),
        value_x=left + _MARGIN,
        value_length=value_length,
        title=escape(title),
    )
