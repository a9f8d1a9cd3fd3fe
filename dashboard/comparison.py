"""All figures of the selected projects side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import briefs, card, filters, tiles
from dashboard.briefs import Briefed
from dashboard.session import View
from lakepulse.brief import QUESTIONS
from lakepulse.figures import NOTABLE_COUNT, NOTABLE_PERCENT, NOTABLE_POINTS

MOST_COLUMNS = 6
"""More projects are rows of the comparison."""
MOST_COMPARED = 5
"""Projects that the Compare page takes."""

Lines = Mapping[tuple[str, str], Sequence[float]]
"""Project and figure -> its values of the last year, NaN where there is none."""


def show(view: View, title: str, found: Briefed) -> None:
    """Show the table and its card: projects as columns, or as rows that the reader can sort."""
    card.figure(
        view, title, "fct_figures", briefs.query("figures"), partial(_draw, found=found), extra=briefs.weeks(view),
        keys=("scope", "figure", "week"),
    )  # fmt: skip


def _draw(view: View, frame: pd.DataFrame, *, found: Briefed) -> None:
    """The comparison; `frame` has the rows of the figures that it shows."""
    projects = list(dict.fromkeys(frame["scope"]))
    lines = briefs.lines(view)
    if len(projects) > MOST_COLUMNS:
        _as_rows(found, projects, lines)
    else:
        rows = [
            tiles.Row(
                meaning.question,
                meaning.title,
                {project: own[name] for project, own in found.figures.items() if name in own},
                {project: lines.get((project, name), ()) for project in projects},
                view.link("compare", "", metric=meaning.title, compare=projects[:MOST_COMPARED]),
            )
            for name, meaning in found.known.items()
            if any(name in own for own in found.figures.values())
        ]
        tiles.comparison(projects, rows, partial(briefs.link, view, found))
    st.caption(
        f"Lines: the last year. Green and red: at least {NOTABLE_PERCENT:.0f} % (shares: {NOTABLE_POINTS:.0f} points) and "
        f"{NOTABLE_COUNT} of what is counted. Bots are excluded, except in their own share."
    )


def _as_rows(found: Briefed, projects: Sequence[str], lines: Lines) -> None:
    """The figures of one question, projects as rows of a table that the reader can sort."""
    asked: str = filters.of_page(
        st.radio, "Question", "Question", [name for name in QUESTIONS if name != "trusted"], key="question",
        title=QUESTIONS.__getitem__, horizontal=True,
    )  # fmt: skip
    shown = {name: meaning for name, meaning in found.known.items() if meaning.question == asked}
    rows = []
    for project in projects:
        own = found.figures[project]
        row: dict[str, object] = {"Project": project}
        missing = []
        for name, meaning in shown.items():
            figure = own.get(name)
            value = None if figure is None else figure.value
            row[meaning.title] = value * 100 if value is not None and meaning.unit == "share" else value
            trend = None if figure is None else figure.in_a_year or figure.in_a_month
            span = "year" if figure is not None and figure.in_a_year else "month"
            row[f"{meaning.title}, trend"] = "" if trend is None else f"{trend.arrow} {trend.said(span)}"
            row[f"{meaning.title}, line"] = lines.get((project, name), [])
            if figure is not None and figure.status in {"partial", "unknown"}:
                missing.append(f"{meaning.title}: {figure.status}, {figure.reason}")
        rows.append(row | {"Missing": "; ".join(missing)})
    config: dict[str, Any] = {"Project": st.column_config.TextColumn("Project", pinned=True)}
    for meaning in shown.values():
        config[meaning.title] = st.column_config.NumberColumn(
            meaning.title, help=meaning.definition, format="%.0f %%" if meaning.unit in {"share", "percent"} else "localized"
        )
        config[f"{meaning.title}, trend"] = st.column_config.TextColumn("Trend")
        config[f"{meaning.title}, line"] = st.column_config.LineChartColumn("A year")
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=config, alt="All projects with their figures")
