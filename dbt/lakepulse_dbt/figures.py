"""The figures of the projects of a publication, and the known breaks that their changes span."""

from __future__ import annotations

from typing import Any

from pyiceberg.catalog import Catalog

from lakepulse.figures import Break, Figure, meanings, newest, spanned
from lakepulse.publications import Publication, read_table

_TABLES = {"dim_figures", "fct_figures"}


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
    members, known = (rows(catalog, publication, name) for name in ("dim_projects", "fct_known_breaks"))
    return spanned(found, members, known, publication.as_of)
