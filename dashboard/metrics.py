"""What Compare can show: each figure of `dim_figures` that projects have, and releases month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dashboard import queries
from dashboard.backends import Value
from dashboard.session import View
from lakepulse.figures import Meaning, meanings

query = queries.beside(__file__)

_FORMATS = {"share": ".0%", "hours": ",.1f", "days": ",.1f", "ratio": ",.2f", "percent": "+,.1f"}
"""Unit of a figure -> how its values are written; other units are counts."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`grain` is the step between the query's dates, `kind` is what the metric is measured on, `sources` what it is made of."""

    title: str
    grain: str
    says: str
    sql: str
    sources: Sequence[str]
    value_format: str = ",.0f"
    kind: Literal["repo", "package"] = "repo"
    extra: Mapping[str, Value] = field(default_factory=dict)


METRICS: dict[str, Metric] = {
    "releases": Metric(
        "Releases per month",
        "month",
        "Final versions, each counted once wherever it is published, except those whose files on PyPI were all yanked.",
        query("releases"),
        ("github_releases", "pypi_releases"),
    ),
}
"""What is counted by calendar month, so that no figure of a trailing window has it."""

BIRTHS = query("births")


def format_of(unit: str) -> str:
    """How charts write the values of a unit of `dim_figures`."""
    return _FORMATS.get(unit, ",.0f")


def figures_of(view: View) -> dict[str, Meaning]:
    """The figures of the publication shown, by name.

    Raises:
        OutdatedError: an earlier version made it, without them.
    """
    return meanings(view.arrow(query("figures")).to_pylist())


def metrics(view: View) -> dict[str, Metric]:
    """Everything that projects can be compared by, by name."""
    found = {
        name: Metric(
            title=figure.title,
            grain="week",
            says=figure.definition,
            sql=query("figure"),
            sources=figure.sources,
            value_format=format_of(figure.unit),
            kind="package" if all(source.startswith("pypi") for source in figure.sources) else "repo",
            extra={"figure": name},
        )
        for name, figure in figures_of(view).items()
        if "project" in figure.scope_kinds
    }
    return found | (METRICS if view.has("fct_project_releases") else {})
