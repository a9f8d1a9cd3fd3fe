"""The briefs of projects, made from the publication shown, and where their numbers lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import streamlit as st

from dashboard import card, metrics, queries
from dashboard.backends import Values
from dashboard.session import View
from lakepulse.brief import QUESTIONS, WINDOW, Brief, briefs
from lakepulse.figures import MONTH, YEAR, Figure, Meaning, newest, week_before, week_of

query = queries.beside(__file__)

FIRST = {
    "alive": "commits_28d",
    "carried": "absence_factor_365d",
    "answered": "answered_7d_share_12w",
    "adopted": "downloads_per_day_28d",
}
"""Question -> the figure that says most about it."""

_MOST_KEPT = 8
"""Selections whose briefs are kept: those of a thousand projects take a second to make."""


@dataclass(frozen=True, slots=True)
class Briefed:
    """Projects in words and figures. `figures` are by project and name, in the order of `known`."""

    known: Mapping[str, Meaning]
    briefs: tuple[Brief, ...]
    figures: Mapping[str, Mapping[str, Figure]]


def weeks(view: View) -> Values:
    """The values of `figures.sql`: the weeks that trends compare."""
    as_of = view.publication.as_of
    return {
        "week": week_of(as_of),
        "month_before": week_before(as_of, MONTH),
        "year_before": week_before(as_of, YEAR),
    }


def of(view: View) -> Briefed:
    """The briefs of the selected projects.

    Raises:
        OutdatedError: an earlier version made the publication, without what a brief needs.
        UnavailableError: it cannot be read.
    """
    return _of(view.publication.key, view.selection.projects, view)


@st.cache_resource(max_entries=_MOST_KEPT, show_spinner=False)
def _of(key: str, projects: Sequence[str], _view: View) -> Briefed:  # noqa: ARG001 - what the cache keeps it by
    known = metrics.figures_of(_view)
    rows = _view.arrow(query("figures"), weeks(_view)).to_pylist()
    found = newest(known, rows, _view.publication.as_of)
    figures: dict[str, dict[str, Figure]] = {}
    for figure in found:
        figures.setdefault(figure.scope, {})[figure.meaning.figure] = figure
    made = briefs(
        found,
        states=_view.arrow(query("states")).to_pylist(),
        people=_view.arrow(query("carriers"), {"window": WINDOW}).to_pylist(),
        freshness=_view.arrow(card.query("freshness")).to_pylist(),
        members=[{"project": project, "kind": kind, "name": name} for project, kind, name in _view.members],
        breaks=_view.arrow(card.query("breaks")).to_pylist(),
        as_of=_view.publication.as_of,
    )
    return Briefed(known, tuple(made), figures)


def lines(view: View) -> dict[tuple[str, str], list[float]]:
    """Project and figure -> its values of the last year by week, NaN where there is none, of the selected projects."""
    rows = view.arrow(query("lines"), {"year_before": week_before(view.publication.as_of, YEAR)}).to_pylist()
    return {(row["scope"], row["figure"]): [nan if value is None else value for value in row["line"]] for row in rows}


def link(view: View, found: Briefed, project: str, about: str) -> str:
    """The address of the chart of a figure, or of what else a sentence is about."""
    if about == "people":
        return view.link("people", project)
    if about == "data":
        return view.link("data", project, anchor="freshness")
    if about not in found.known:
        return view.link("project", project)
    meaning = found.known[about]
    # Streamlit takes a value that is the default out of the address, and the anchor with it.
    chosen = {} if about == first(found, project, meaning.question) else {meaning.question: meaning.title}
    return view.link("project", project, anchor=card.slug(QUESTIONS[meaning.question]), **chosen)


def first(found: Briefed, project: str, question: str) -> str:
    """The figure that the project page draws until the reader chooses another: the usual one, unless there is no such thing."""
    own = found.figures.get(project, {})
    names = [FIRST[question], *(name for name, meaning in found.known.items() if meaning.question == question)]
    return next((name for name in names if name in own and own[name].status != "none"), names[0])
