"""Compare: a few projects on one metric, by calendar or by age."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, session
from dashboard.metrics import METRICS

ALIGNMENTS = {"calendar": "By calendar", "age": "By age"}
MOST = 5
UNIT = {"day": ("days", 1), "week": ("weeks", 7), "month": ("months", 30.4375)}

page = session.current()
every_project = filters.projects_of(page.members)

st.title("Compare", anchor=False)
chosen = st.multiselect(
    "Projects to compare",
    every_project,
    default=list(every_project[:3]),
    max_selections=MOST,
    key="compare",
    bind="query-params",
    help="Two to five. The filter of projects on the left does not apply here.",
)
left, right = st.columns([2, 1])
with left:
    name = st.selectbox("Metric", list(METRICS), format_func=lambda key: METRICS[key].title, key="metric", bind="query-params")
with right:
    align = st.radio(
        "Align",
        list(ALIGNMENTS),
        format_func=ALIGNMENTS.__getitem__,
        horizontal=True,
        key="align",
        bind="query-params",
    )
metric = METRICS[name]


def compare(frame: pd.DataFrame) -> None:
    rows = frame.dropna(subset=["value"])
    axis_format = "%" if "%" in metric.value_format else "~s"
    if align == "age":
        unit, days = UNIT[metric.grain]
        age = (rows["date"] - rows.groupby("project")["date"].transform("min")).dt.days / days
        charts.show(
            charts.by_age(
                rows.assign(age=age.round()), "age", "project", "value", metric.title,
                axis=f"{unit.capitalize()} since the project's first", everything=every_project,
                value_format=metric.value_format, axis_format=axis_format,
            ),
            alt=f"{metric.title} of each project by age. The card below has the rows.",
        )  # fmt: skip
        return
    first, last = pd.Timestamp(page.selection.first), pd.Timestamp(page.selection.last)
    rows = rows[(rows["date"] >= first) & (rows["date"] <= last)]
    if rows.empty:
        st.info("There is nothing in this period. Choose a longer one.", icon=":material/inbox:")
        return
    charts.show(
        charts.lines(
            rows, "date", "project", "value", metric.title, grain=metric.grain, everything=every_project,
            value_format=metric.value_format, axis_format=axis_format,
        ),
        alt=f"{metric.title} of each project by date. The card below has the rows.",
    )  # fmt: skip


if len(chosen) < 2:
    st.info("Choose at least two projects.", icon=":material/compare_arrows:")
else:
    card.figure(
        page,
        metric.title,
        metric.table,
        metric.sql,
        compare,
        extra={"projects": tuple(chosen)},
        keys=("project", "date"),
        note=f"{metric.says} Age counts from the first row that a project has. The card has the whole history.",
        empty="None of these projects has this figure.",
    )
