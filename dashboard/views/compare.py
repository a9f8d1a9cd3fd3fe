"""Compare: a few projects by one metric, by calendar or by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, text
from dashboard.metrics import BIRTHS, Metric, metrics
from dashboard.page import Page
from dashboard.session import View

ALIGNMENTS = {"calendar": "By calendar", "age": "By age"}
MOST = 5
MEMBERS = {"repo": "repositories", "package": "packages"}
BIRTH = {"repo": "the creation of the project's first repository", "package": "the first release of its first package"}
UNIT = {"day": ("days", 1), "week": ("weeks", 7), "month": ("months", 30.4375)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared. `scopes` are the projects' repositories and packages."""

    projects: Sequence[str]
    metric: Metric
    by_age: bool
    scopes: tuple[str, ...]

    def draw(self, view: View, frame: pd.DataFrame) -> None:
        if self.by_age:
            self._draw_by_age(view, frame)
        else:
            self._draw_by_calendar(view, frame)

    def _draw_by_age(self, view: View, frame: pd.DataFrame) -> None:
        metric = self.metric
        rows = self._aged(view, frame)
        if len(rows):
            charts.show(
                charts.by_age(
                    rows, "age", "project", "value", metric.title, looks=view.looks,
                    axis=f"{UNIT[metric.grain][0].capitalize()} since {BIRTH[metric.kind]}",
                    value_format=metric.value_format,
                ),
                alt=f"{metric.title} of each project by age. The card below has the rows.",
            )  # fmt: skip
        self._explain_missing(view, rows)
        # They have dates, which differ in age between projects, so they are explained and not drawn.
        card.breaks(view, self._sources, self.scopes, frame["date"])

    def _draw_by_calendar(self, view: View, frame: pd.DataFrame) -> None:
        metric, selection = self.metric, view.selection
        start = {"day": selection.first, "week": selection.first_week, "month": selection.first_month}[metric.grain]
        rows = frame[(frame["date"] >= pd.Timestamp(start)) & (frame["date"] <= pd.Timestamp(selection.last))]
        if rows["value"].isna().all():
            st.info("No data in this period. Try a longer one.", icon=":material/inbox:")
            return
        found = card.breaks(view, self._sources, self.scopes, rows["date"])
        charts.show(
            charts.lines(
                rows.dropna(subset=["value"]), "date", "project", "value", metric.title, grain=metric.grain, breaks=found,
                over=view.over, looks=view.looks, value_format=metric.value_format,
            ),
            alt=f"{metric.title} of each project by date. The card below has the rows.",
        )  # fmt: skip
        self._explain_missing(view, rows)

    @property
    def _sources(self) -> Sequence[str]:
        return self.metric.sources

    def _aged(self, view: View, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the projects whose birth is known, with their age and with gaps."""
        births = view.frame(BIRTHS, {"projects": tuple(self.projects)})
        born = births[births["kind"] == self.metric.kind].set_index("project")["born"]
        known = frame[frame["project"].isin(born.index)]
        if known["value"].isna().all():
            return known.head(0)
        rows = charts.with_gaps(known, "date", "project", "value", charts.STEPS[self.metric.grain])
        ages = (rows["date"] - rows["project"].map(born)).dt.days / UNIT[self.metric.grain][1]
        return rows.assign(age=ages.round(1))

    def _explain_missing(self, view: View, rows: pd.DataFrame) -> None:
        """Say which projects have no line, and why."""
        drawn = set(rows.dropna(subset=["value"])["project"])
        for project in self.projects:
            if not filters.names(view.members, self.metric.kind, [project]):
                st.caption(f"{text.literal(project)} has no {MEMBERS[self.metric.kind]}.")
            elif project not in drawn:
                st.caption(f"{text.literal(project)} has no line: {text.sentence(_reason(rows, project))}")


def _reason(rows: pd.DataFrame, project: str) -> str:
    """Why a project has no value, as gold says of its last row."""
    reasons = [] if "reason" not in rows else rows.loc[rows["project"] == project, "reason"].dropna().to_list()
    return str(reasons[-1]) if reasons else "no data, or an incomplete history"


def show(view: View) -> None:
    st.title("Compare", anchor=False)
    every_project = filters.projects_of(view.members)
    projects: list[str] = filters.of_page(
        st.multiselect,
        "Project to compare",
        "Projects to compare",
        every_project,
        key="compare",
        default=list(every_project[:3]),
        max_selections=MOST,
        help="Two to five. The project filter on the left does not apply here.",
    )
    known = metrics(view)
    left, right = st.columns([2, 1])
    with left:
        name: str = filters.of_page(
            st.selectbox, "Metric", "Metric", list(known), key="metric", title=lambda metric: known[metric].title
        )
    with right:
        align: str = filters.of_page(
            st.radio, "Alignment", "Align", list(ALIGNMENTS), key="align", title=ALIGNMENTS.__getitem__, horizontal=True
        )
    if len(projects) < 2:
        st.info("Choose at least two projects.", icon=":material/compare_arrows:")
        return
    metric = known[name]
    scopes = tuple(
        member for project in projects for kind in MEMBERS for member in filters.names(view.members, kind, [project])
    )
    card.figure(
        view,
        metric.title,
        "fct_figures",
        metric.sql,
        Comparison(projects, metric, align == "age", scopes).draw,
        extra={"projects": tuple(projects), **metric.extra},
        keys=("project", "date"),
        scopes=scopes,
        sources=metric.sources,
        step=metric.grain,
        note=f"{metric.says} Age is counted from {BIRTH[metric.kind]}. The card has the complete history.",
        empty="None of these projects has this metric.",
    )


PAGE = Page(title="Compare", icon=":material/compare_arrows:", order=60, show=show)
