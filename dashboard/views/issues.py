"""Issues: whether they get answers, and which ones are waiting."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import behind, card, charts, filters, queries, rolling
from dashboard.backends import Values
from dashboard.multiples import Multiples
from dashboard.page import Page
from dashboard.rolling import Rolling
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["github_issues"]
ANSWER_SOURCES = ["github_issues", "github_comments"]
FIGURES = (
    Rolling(
        "answered_7d_share_12w",
        "Share of issues answered within 7 days, issues opened over 12 weeks",
        "share-answered",
        "issues opened",
    ),
    Rolling(
        "first_response_median_hours_12w",
        "Median hours to the first answer, issues opened over 12 weeks",
        "time-to-first-response",
        "issues opened",
        is_log=True,
        note="No line while half or more of the issues have no answer.",
    ),
    Rolling(
        "closed_per_opened_12w",
        "Issues closed per issue opened, 12 weeks",
        "backlog",
        "issues opened",
        reference=1,
        note="Above 1, more issues are closed than opened: the backlog shrinks.",
    ),
    Rolling("open_issues", "Issues open at the end of the week", "open-issues", "issues"),
)
TICKS = {"p50_hours": [0, 1, 6, 24, 72, 168, 720, 2160], "p50_days": [0, 1, 3, 7, 30, 90, 365, 1095]}
BUCKETS = ["0", "1–7", "8–30", "31–90", "91–365", "over 365"]
MOST_ISSUES = 50  # a longer list is better read as a file
# The backlog's columns: title of the chart, unit, number format, and reference line.
BACKLOGS = {
    "backlog_index": ("Closed per opened, 8 weeks", "Issues closed per opened", ".2f", 1.0),
    "open_at_end": ("Open at the end", "Issues", ",.0f", None),
    "median_age_days": ("Median age of open issues", "Days", ",.0f", None),
}


def spans(view: View) -> str:
    """The step of charts whose tables have weeks."""
    return "month" if view.selection.grain == "month" else "week"


def trend(view: View, frame: pd.DataFrame) -> None:
    Multiples(
        time="date",
        parts=("opened", "closed"),
        title="Issues opened and closed",
        unit="Issues",
        grain=view.selection.grain,
        sources=SOURCES,
        listed=behind.issues,
    ).show(view, frame)


def trailing(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "issues_last_7_days")
    grain = view.selection.grain
    charts.show(
        charts.lines(
            kept,
            "date",
            "repo",
            "issues_last_7_days",
            "Issues opened in 7 days",
            unit="Issues",
            grain=grain,
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.repos, kept["date"]),
            over=view.over,
        ),
        alt="Issues opened in 7 days, of each repository over time. The card below has the rows.",
        said=(charts.summed_up(grain, "the mean"), charts.left_out(left, "repositories with the largest values")),
    )


def buckets(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_issues")
    charts.show(
        charts.columns(
            kept,
            "days_to_update",
            "repo",
            "num_issues",
            "Issues by days from opening to the last update, all time",
            unit="Issues",
            order=BUCKETS,
            axis="Days from opening to last update",
            looks=view.looks,
            per_row=2,
        ),
        alt="Issues by days from opening to the last update. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most issues"),),
    )


def labels(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_issues")
    charts.show(
        charts.ranked(
            kept,
            "label",
            "repo",
            "num_issues",
            "Issues with the label, all time",
            unit="Issues",
            looks=view.looks,
            links=[behind.labelled(repo, label) for repo, label in zip(kept["repo"], kept["label"], strict=True)],
            per_row=2,
        ),
        alt="The three most used labels of each repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most issues under these labels"),),
    )


def percentiles(
    view: View,
    frame: pd.DataFrame,
    *,
    repo: str,
    values: tuple[str, str, str],
    title: str,
    unit: str,
) -> None:
    low, middle, high = values
    charts.show(
        charts.lines(
            frame,
            "week",
            "repo",
            middle,
            title,
            unit=unit,
            grain=spans(view),
            looks=view.looks,
            spread=(low, high),
            ticks=TICKS[middle],
            value_format=",.1f",
            breaks=card.breaks(view, ANSWER_SOURCES, [repo], frame["week"]),
            over=view.over,
        ),
        alt=f"{title} of one repository over time, median and percentiles. The card below has the rows.",
        said=(charts.summed_up(spans(view), "the median of the weeks", "week"),),
    )


def answered(view: View, frame: pd.DataFrame, *, repo: str) -> None:
    charts.show(
        charts.lines(
            frame.assign(beside="of " + frame["issues_opened"].map("{:,}".format)),
            "week",
            "repo",
            "share",
            "Share of new issues answered since",
            unit="Share",
            grain=spans(view),
            looks=view.looks,
            breaks=card.breaks(view, ANSWER_SOURCES, [repo], frame["week"]),
            beside="beside",
            over=view.over,
            value_format=".0%",
        ),
        alt="Share of issues answered, by the date of opening, for one repository. The card below has the rows.",
    )


def backlog(view: View, frame: pd.DataFrame) -> None:
    which: str = filters.of_page(
        st.radio,
        "Backlog figure",
        "Backlog figure",
        list(BACKLOGS),
        key="backlog",
        title=lambda column: BACKLOGS[column][0],
        horizontal=True,
    )
    title, unit, value_format, reference = BACKLOGS[which]
    kept, left = charts.top_series(frame, "repo", "opened_8w")
    charts.show(
        charts.lines(
            kept,
            "week",
            "repo",
            which,
            title,
            unit=unit,
            grain=spans(view),
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.repos, kept["week"]),
            value_format=value_format,
            reference=reference,
            over=view.over,
        ),
        alt=f"{title} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(spans(view), "the last week", "week"),
            charts.left_out(left, "repositories with the most issues opened"),
        ),
    )


def unanswered(_: View, frame: pd.DataFrame) -> None:
    behind.issue_table(frame.head(MOST_ISSUES), "The oldest open issues without an answer")
    if len(frame) > MOST_ISSUES:
        st.caption(f"Showing {MOST_ISSUES} of {len(frame):,}; download all from the card.")


def show(view: View) -> None:
    st.title("Issues", anchor=False)
    for figure in FIGURES:
        rolling.show(view, figure)
    card.figure(
        view,
        "Oldest unanswered issues",
        "fct_unanswered_issues",
        query("unanswered"),
        unanswered,
        keys=("repo", "number"),
        empty="Every open issue has an answer.",
    )
    left, right = st.columns(2)
    with left:
        card.figure(
            view,
            "Days to update",
            "fct_num_updated_issues",
            query("days_to_update"),
            buckets,
            keys=("repo", "days_to_update"),
        )
    with right:
        card.figure(
            view,
            "Top 3 labels",
            "fct_num_labels_per_repo",
            query("labels"),
            labels,
            keys=("repo", "label"),
            empty="No labelled issues.",
            note="Click a bar to open the issues with that label on GitHub.",
        )
    if filters.raw("Weekly values of each repository"):
        weekly_values(view)


def weekly_values(view: View) -> None:
    """What the rolling figures are made of, unsmoothed."""
    weekly: Values = {"spans": spans(view)}
    card.figure(
        view,
        "Issues opened and closed",
        "fct_all_time_issues_trend",
        query("trend"),
        trend,
        keys=("repo", "date"),
        step=view.selection.grain,
    )
    card.figure(
        view,
        "Issues opened in the trailing 7 days",
        "fct_last_7_days_fct_issues",
        query("trailing"),
        trailing,
        drawn=query("trailing_drawn"),
        keys=("repo", "date"),
    )
    repos = view.selection.repos
    repo = (
        filters.of_page(st.selectbox, "Repository", "Repository for the next three figures", repos, key="answers_of")
        if repos
        else ""
    )
    of_one: Values = {**weekly, "repos": (repo,)}
    card.figure(
        view,
        "First response by week",
        "fct_issue_response",
        query("response"),
        partial(
            percentiles,
            repo=repo,
            values=("p15_hours", "p50_hours", "p85_hours"),
            title="Hours to the first answer, for answered issues",
            unit="Hours",
        ),
        drawn=query("response_drawn"),
        extra=of_one,
        keys=("repo", "week"),
        note="Line: median. Shade: 15th to 85th percentile. Recent weeks change as answers come in.",
    )
    card.figure(
        view,
        "Answered by week",
        "fct_issue_response",
        query("answered"),
        partial(answered, repo=repo),
        drawn=query("answered_drawn"),
        extra=of_one,
        keys=("repo", "week"),
        note="Recent weeks change as answers come in.",
    )
    card.figure(
        view,
        "Resolution by week",
        "fct_issue_resolution",
        query("resolution"),
        partial(
            percentiles,
            repo=repo,
            values=("p50_days", "p50_days", "p85_days"),
            title="Days to close, for closed issues",
            unit="Days",
        ),
        drawn=query("resolution_drawn"),
        extra=of_one,
        keys=("repo", "week"),
        note="Line: median. Shade: up to the 85th percentile.",
    )
    card.figure(
        view,
        "Backlog by week",
        "fct_issue_backlog",
        query("backlog"),
        backlog,
        drawn=query("backlog_drawn"),
        extra=weekly,
        keys=("repo", "week"),
        note="Above 1, more issues are closed than opened: the backlog shrinks.",
    )


PAGE = Page(title="Issues", icon=":material/adjust:", order=30, show=show)
