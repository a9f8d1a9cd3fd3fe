"""The figures of the projects of a publication, and the known breaks that their changes span."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyiceberg.catalog import Catalog

from lakepulse.figures import MONTH, Figure, meanings, newest, week_before
from lakepulse.publications import Publication, read_table

_TABLES = {"dim_figures", "fct_figures"}


@dataclass(frozen=True, slots=True)
class Break:
    """A known break in how a source counts."""

    day: date
    what_changed: str
    link: str | None


def rows(catalog: Catalog, publication: Publication, name: str) -> list[dict[str, Any]]:
    """A gold table's rows as the publication had them; none if it was made by code without the table."""
    return read_table(catalog, publication, name).to_pylist() if name in publication.snapshots else []


def figures(catalog: Catalog, publication: Publication) -> list[Figure]:
    """Every figure of every project, by project and in the order of `dim_figures`.

    None of a publication that was made by code without these tables.
    """
    if not publication.snapshots.keys() >= _TABLES:
        return []
    known = meanings(rows(catalog, publication, "dim_figures"))
    found = newest(known, rows(catalog, publication, "fct_figures"), publication.as_of)
    return [figure for figure in found if figure.scope_kind == "project"]


def breaks(catalog: Catalog, publication: Publication, found: list[Figure]) -> dict[tuple[str, str], tuple[Break, ...]]:
    """Project and figure -> the known breaks of its sources between its value and the one of four weeks before."""
    members: dict[str, set[str]] = {}
    for row in rows(catalog, publication, "dim_projects"):
        members.setdefault(row["project"], {""}).add(row["name"])
    known = sorted(rows(catalog, publication, "fct_known_breaks"), key=lambda row: (row["from_date"], row["id"]))
    last = publication.as_of
    spans = {}
    for figure in found:
        if figure.change is None:
            continue
        # The earlier window begins its own length before its week ends.
        first = week_before(last, MONTH) + timedelta(days=7 - figure.meaning.window_days)
        spans[figure.scope, figure.meaning.figure] = tuple(
            dict.fromkeys(
                Break(row["from_date"], row["what_changed"], row["link"])
                for row in known
                if any(source == row["source"] or source.startswith(f"{row['source']}_") for source in figure.meaning.sources)
                and (row["scope"] or "") in members.get(figure.scope, {""})
                and first < (row["to_date"] or row["from_date"])
                and row["from_date"] <= last
            )
        )
    return {key: found for key, found in spans.items() if found}
