"""A figure of `fct_figures` as a chart: one line per project, with what is behind each point.

A project on its own has its repositories or packages beside it, and chosen repositories stand for themselves. Nothing is
added up here: a project's figure is computed from the pooled events of its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import streamlit as st

from dashboard import behind, card, charts, filters, metrics, queries, text
from dashboard.backends import Values
from dashboard.session import View
from lakepulse.figures import Meaning, worded

query = queries.beside(__file__)

_TICKS = {"hours": (0, 1, 6, 24, 72, 168, 720, 2160), "days": (0, 1, 3, 7, 30, 90, 365, 1095)}
_UNITS = {"share": "Share", "percent": "Change in %"}
_MOST_SAID = 4


@dataclass(frozen=True, slots=True)
class Rolling:
    """How a figure is drawn.

    Attributes:
        title: what the chart counts, over which window.
        anchor: the heading's name in the address.
        things: what `n` counts, in words.
        reference: a value worth a horizontal line.
        is_log: whether durations of the figure always need a logarithmic scale.
    """

    figure: str
    title: str
    anchor: str
    things: str
    reference: float | None = None
    is_log: bool = False
    note: str = ""


def show(view: View, rolling: Rolling, markers: pd.DataFrame | None = None) -> None:
    """Show a figure; `markers` (columns date, scope, label) are drawn along the top of the lines of their scopes."""
    with card.guarded(rolling.title):
        known = metrics.figures_of(view) if view.has("dim_figures") else {}
        if rolling.figure not in known:
            sentence = "This publication was made by an earlier version, without figures of whole projects."
            if view.says_first(sentence, "figures"):
                st.info(sentence, icon=":material/inbox:")
            return
        meaning = known[rolling.figure]

        def draw(view: View, frame: pd.DataFrame) -> date | None:
            return _draw(view, frame, rolling, meaning, markers)

        card.figure(
            view,
            meaning.title,
            "fct_figures",
            query("values"),
            draw,
            extra={"figure": rolling.figure, **_scopes(view, meaning)},
            keys=("scope_kind", "scope", "week"),
            sources=meaning.sources,
            anchor=rolling.anchor,
            meaning=meaning,
            note=rolling.note,
            behind=behind.panel(meaning, rolling.things),
            empty="No figures for this selection in this period. Try a longer one.",
        )


def _scopes(view: View, meaning: Meaning) -> Values:
    """What has a line: the chosen projects, with the members of one on its own; or the chosen repositories."""
    chosen = view.selection
    of_repos = filters.names(view.members, "repo", chosen.projects)
    repos = chosen.repos if "repo" in meaning.scope_kinds else ()
    packages = chosen.packages if "package" in meaning.scope_kinds else ()
    if repos and len(repos) < len(of_repos):
        return {"of_projects": (), "of_repos": repos, "of_packages": ()}
    is_alone = len(chosen.projects) == 1
    return {
        "of_projects": chosen.projects,
        "of_repos": repos if is_alone and len(repos) > 1 else (),
        "of_packages": packages if is_alone and len(packages) > 1 else (),
    }


@dataclass(frozen=True, slots=True)
class _Made:
    """A figure's drawing, or the only value that there is; what is missing in it; and what its breaks depend on."""

    drawing: charts.Packed | None
    missing: Sequence[str]
    left: str
    scopes: Sequence[str]
    times: pd.Series[pd.Timestamp]


def _draw(view: View, frame: pd.DataFrame, rolling: Rolling, meaning: Meaning, markers: pd.DataFrame | None) -> date | None:
    of = _scopes(view, meaning)
    key = (rolling, tuple(of.values()), view.selection.first_week, view.selection.last, view.over, charts.is_dark())
    made = view.made(key, lambda: _make(view, frame, rolling, meaning, markers))
    # Also of a drawing that was kept: the page explains the breaks that its charts mark.
    card.breaks(view, meaning.sources, made.scopes, made.times)
    said = [sentence for sentence in made.missing if view.says_first(sentence, rolling.anchor)]
    if made.drawing is None:
        st.info(" ".join(said) or "No value in this period.", icon=":material/inbox:")
        return None
    return charts.show(
        made.drawing,
        alt=f"{rolling.title}, a line per project. The card below has the rows.",
        said=(*said, made.left),
        key=f"chart-{rolling.anchor}",
    )


def _make(view: View, frame: pd.DataFrame, rolling: Rolling, meaning: Meaning, markers: pd.DataFrame | None) -> _Made:
    rows = frame.drop_duplicates(["scope", "week"])
    newest = rows.groupby("scope", sort=False).tail(1)
    rows = rows[rows["scope"].isin(rows.loc[rows["value"].notna(), "scope"])]
    drawn = set(rows["scope"])
    missing = _missing(newest, drawn)
    weeks = rows.loc[rows["value"].notna(), "week"]
    if weeks.nunique() < 2:
        return _Made(None, [*_only(rows, meaning), *missing], "", (), weeks.head(0))
    kept, left = charts.top_series(rows, "scope", "n")
    partial = sorted(newest.loc[newest["status"].eq("partial") & newest["scope"].isin(drawn), "scope"])
    partly = kept["status"].eq("partial").map({True: ", partial", False: ""})
    scopes = [*view.selection.scopes, *kept["scope"].unique()]
    if markers is not None:
        markers = markers[markers["scope"].isin(kept["scope"])].rename(columns={"date": "week"})
    drawing = charts.lines(
        kept.assign(beside="(" + kept["n"].map("{:,}".format) + f" {rolling.things}" + partly + ")"),
        "week",
        "scope",
        "value",
        rolling.title,
        unit=_UNITS.get(meaning.unit, meaning.unit.capitalize()),
        grain="week",
        looks=view.looks,
        breaks=card.breaks(view, meaning.sources, scopes, weeks),
        markers=markers,
        beside="beside",
        reference=rolling.reference,
        ticks=_TICKS.get(meaning.unit, ()) if rolling.is_log else (),
        value_format=metrics.format_of(meaning.unit),
        over=view.over,
        note=f"partial: {', '.join(partial)}" if partial else "",
        has_newest=True,
    )
    return _Made(charts.pack(drawing), missing, charts.left_out(left, f"with the most {rolling.things}"), scopes, weeks)


def _only(rows: pd.DataFrame, meaning: Meaning) -> list[str]:
    """The values of the only week that has any, in words: a line needs two."""
    last = rows.dropna(subset=["value"])
    if not len(last):
        return []
    values = [f"{text.literal(row['scope'])} {worded(row['value'], meaning.unit)}" for row in last.to_dict("records")]
    now = f"{text.listed(values, len(values))} in the week of {last['week'].iloc[0]:%Y-%m-%d}"
    return [f"Only one value so far, and a line needs two: {now}."]


def _missing(newest: pd.DataFrame, drawn: set[str]) -> list[str]:
    """What is missing in the newest week: of partial values a part, and of projects without a line everything."""
    said: dict[str, list[str]] = {}
    for row in newest.to_dict("records"):
        if row["scope"] not in drawn or row["status"] == "partial":
            kind = "Partial" if row["scope"] in drawn else "No line"
            said.setdefault(kind, []).append(f"{text.literal(row['scope'])} ({text.literal(row['reason'] or row['status'])})")
    return [f"{kind}: {text.listed(found, _MOST_SAID)}." for kind, found in said.items()]
