"""Compare: a few projects on one metric, by calendar or by age."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, session, text
from dashboard.metrics import BIRTHS, METRICS

ALIGNMENTS = {"calendar": "By calendar", "age": "By age"}
MOST = 5
WORDS = {"repo": "repositories", "package": "packages"}
BORN = {"repo": "the day on which the project's first repository was made", "package": "the first release of its first package"}
UNIT = {"day": ("days", 1), "week": ("weeks", 7), "month": ("months", 30.4375)}

page = session.current()
every_project = filters.projects_of(page.members)

st.title("Compare", anchor=False)
chosen: list[str] = filters.of_page(
    st.multiselect,
    "project to compare",
    "Projects to compare",
    every_project,
    key="compare",
    default=list(every_project[:3]),
    max_selections=MOST,
    help="Two to five. The filter of projects on the left does not apply here.",
)
left, right = st.columns([2, 1])
with left:
    name: str = filters.of_page(
        st.selectbox, "metric", "Metric", list(METRICS), key="metric", title=lambda metric: METRICS[metric].title
    )
with right:
    align: str = filters.of_page(
        st.radio, "alignment", "Align", list(ALIGNMENTS), key="align", title=ALIGNMENTS.__getitem__, horizontal=True
    )
metric = METRICS[name]


scopes = tuple(
    member for project in chosen for kind in ("repo", "package") for member in filters.names(page.members, kind, [project])
)
starts = {"day": page.selection.first, "week": page.selection.first_week, "month": page.selection.first_month}
start = starts[metric.grain]


def compare(frame: pd.DataFrame) -> None:
    axis_format = "%" if "%" in metric.value_format else "~s"
    sources = card.definitions()[metric.table].sources
    if align == "age":
        rows = aged(frame)
        if len(rows):
            axis = f"{UNIT[metric.grain][0].capitalize()} since {BORN[metric.kind]}"
            charts.show(
                charts.by_age(
                    rows, "age", "project", "value", metric.title, axis=axis, everything=every_project,
                    value_format=metric.value_format, axis_format=axis_format,
                ),
                alt=f"{metric.title} of each project by age. The card below has the rows.",
            )  # fmt: skip
        name_missing(rows)
        found = card.breaks(page, sources, scopes, (frame["date"].min().date(), page.publication.as_of))
        apart = "Known breaks are days, which lie apart on a scale of ages, so they are not drawn:"
        charts.tell(apart if len(found) else "", card.explained(found))
        return
    rows = frame[(frame["date"] >= pd.Timestamp(start)) & (frame["date"] <= pd.Timestamp(page.selection.last))]
    if rows["value"].isna().all():
        st.info("There is nothing in this period. Choose a longer one.", icon=":material/inbox:")
        return
    found = card.breaks(page, sources, scopes)
    charts.show(
        charts.lines(
            rows.dropna(subset=["value"]), "date", "project", "value", metric.title,
            grain=metric.grain, breaks=found, over=page.over,
            everything=every_project, value_format=metric.value_format, axis_format=axis_format,
        ),
        alt=f"{metric.title} of each project by date. The card below has the rows.",
        breaks=card.explained(found),
    )  # fmt: skip
    name_missing(rows)


def aged(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the projects whose birth is known, with their age and with gaps."""
    births = page.frame(BIRTHS, {"projects": tuple(chosen)})
    born = births[births["kind"] == metric.kind].set_index("project")["born"]
    known = frame[frame["project"].isin(born.index)]
    if known["value"].isna().all():
        return known.head(0)
    rows = charts.with_gaps(known, "date", "project", "value", charts.STEPS[metric.grain])
    ages = (rows["date"] - rows["project"].map(born)).dt.days / UNIT[metric.grain][1]
    return rows.assign(age=ages.round(1))


def name_missing(rows: pd.DataFrame) -> None:
    """Say which of the chosen projects have no line, and why."""
    drawn = set(rows.dropna(subset=["value"])["project"])
    for project in chosen:
        if not filters.names(page.members, metric.kind, [project]):
            st.caption(f"{text.literal(project)} has no {WORDS[metric.kind]}.")
        elif project not in drawn:
            st.caption(f"{text.literal(project)} has no line: nothing happened, or a part of its history is not known.")


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
        scopes=scopes,
        step=metric.grain,
        note=f"{metric.says} Age counts from {BORN[metric.kind]}. The card has the whole history.",
        empty="None of these projects has this figure.",
    )
