"""Issues: how many are opened, how fast they are answered and closed, and which ones are waiting."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, queries, text
from dashboard.backends import Values
from dashboard.page import Page
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["github_issues"]
ANSWER_SOURCES = ["github_issues", "github_comments"]
TICKS = {"p50_hours": [0, 1, 6, 24, 72, 168, 720, 2160], "p50_days": [0, 1, 3, 7, 30, 90, 365, 1095]}
BUCKETS = ["0", "1–7", "8–30", "31–90", "91–365", "over 365"]
MOST_ISSUES = 50  # a longer list is better read as a file
# The backlog's columns: title of the axis, number format, and reference line.
BACKLOGS = {
    "backlog_index": ("Closed per opened, 8 weeks", ".2f", 1.0),
    "open_at_end": ("Open at the end", ",.0f", None),
    "median_age_days": ("Median age of open issues (days)", ",.0f", None),
}


def spans(view: View) -> str:
    """The step of charts whose tables have weeks."""
    return "month" if view.selection.grain == "month" else "week"


def trend(view: View, frame: pd.DataFrame) -> None:
    grain = view.selection.grain
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.lines(
            frame,
            "date",
            "kind",
            "issues",
            "Issues",
            grain=grain,
            everything=("opened", "closed"),
            breaks=found,
            over=view.over,
        ),
        alt="Issues opened and closed over time. The card below has the rows.",
        said=(charts.counted(grain),),
        breaks=card.explained(found),
    )


def daily(view: View, frame: pd.DataFrame, *, value: str, title: str, point: str) -> None:
    kept, left = charts.top_series(frame, "repo", value)
    grain = view.selection.grain
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.lines(
            kept, "date", "repo", value, title, grain=grain, everything=view.every_repo, breaks=found, over=view.over
        ),
        alt=f"{title} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(grain, point),
            charts.left_out(left, "repositories with the largest values"),
        ),
        breaks=card.explained(found),
    )  # fmt: skip


def buckets(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_issues")
    charts.show(
        charts.grouped(
            kept,
            "days_to_update",
            "repo",
            "num_issues",
            "Issues",
            order=BUCKETS,
            axis="Days from opening to last update",
            everything=view.every_repo,
        ),
        alt="Issues by days from opening to the last update. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most issues"),),
    )


def labels(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_issues")
    charts.show(
        charts.ranked(kept, "label", "repo", "num_issues", "Issues", everything=view.every_repo),
        alt="The three most used labels of each repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most issues under these labels"),),
    )


def percentiles(view: View, frame: pd.DataFrame, *, repo: str, values: tuple[str | None, str, str], title: str) -> None:
    found = card.breaks(view, ANSWER_SOURCES, [repo])
    charts.show(
        charts.band(
            frame, "week", "repo", values, title, grain=spans(view), ticks=TICKS[values[1]], everything=view.every_repo,
            breaks=found, over=view.over,
        ),
        alt=f"{title} for {repo} over time, median and percentiles. The card below has the rows.",
        said=(charts.summed_up(spans(view), "the median of the weeks", "week"),),
        breaks=card.explained(found),
    )  # fmt: skip


def answered(view: View, frame: pd.DataFrame, *, repo: str) -> None:
    found = card.breaks(view, ANSWER_SOURCES, [repo])
    charts.show(
        charts.lines(
            frame, "week", "repo", "share", "Share of new issues answered", grain=spans(view), everything=view.every_repo,
            breaks=found, over=view.over, value_format=".0%", axis_format="%",
        ),
        alt=f"Share of issues answered, by the date of opening, for {repo}. The card below has the rows.",
        said=(charts.counted(spans(view)),),
        breaks=card.explained(found),
    )  # fmt: skip


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
    title, value_format, reference = BACKLOGS[which]
    kept, left = charts.top_series(frame, "repo", "opened_8w")
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.lines(
            kept, "week", "repo", which, title, grain=spans(view), everything=view.every_repo,
            breaks=found, value_format=value_format, reference=reference, over=view.over,
        ),
        alt=f"{title} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(spans(view), "the last week", "week"),
            charts.left_out(left, "repositories with the most issues opened"),
            "" if reference is None else "Above 1, more issues are closed than opened: the backlog shrinks.",
        ),
        breaks=card.explained(found),
    )  # fmt: skip


def unanswered(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame.head(MOST_ISSUES).assign(url=frame["url"].map(text.web_link)),
        hide_index=True,
        placeholder="–",
        column_order=["url", "repo", "title", "age_days", "author", "comments", "created_at"],
        column_config={
            "url": st.column_config.LinkColumn("Issue", display_text=r"/(\d+)$", width="small"),
            "repo": "Repository",
            "title": st.column_config.TextColumn("Title", width="large"),
            "age_days": st.column_config.NumberColumn("Age (days)", format="%.0f"),
            "author": "Author",
            "comments": "Comments",
            "created_at": st.column_config.DatetimeColumn("Opened (UTC)", format="YYYY-MM-DD HH:mm"),
        },
        alt="The oldest open issues without an answer",
    )
    if len(frame) > MOST_ISSUES:
        st.caption(f"Showing {MOST_ISSUES} of {len(frame):,}; download all from the card.")


def show(view: View) -> None:
    st.title("Issues", anchor=False)
    weekly: Values = {"spans": spans(view)}
    card.figure(
        view,
        "Issues over time",
        "fct_all_time_issues_trend",
        query("trend"),
        trend,
        keys=("date", "kind"),
        step=view.selection.grain,
    )
    card.figure(
        view,
        "Open issues",
        "fct_all_time_issues_trend",
        query("open"),
        partial(daily, value="num_open", title="Open issues", point="the last day"),
        drawn=query("open_drawn"),
        keys=("repo", "date"),
    )
    card.figure(
        view,
        "Issues opened in the trailing 7 days",
        "fct_last_7_days_fct_issues",
        query("trailing"),
        partial(daily, value="issues_last_7_days", title="Opened in 7 days", point="the mean"),
        drawn=query("trailing_drawn"),
        keys=("repo", "date"),
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
        "Time to first response",
        "fct_issue_response",
        query("response"),
        partial(percentiles, repo=repo, values=("p15_hours", "p50_hours", "p85_hours"), title="Hours to first answer"),
        drawn=query("response_drawn"),
        extra=of_one,
        keys=("repo", "week"),
        note="Line: median, on a logarithmic scale. Shade: 15th to 85th percentile. Recent weeks change as answers come in. "
        "To see several projects, choose this metric on the Compare page.",
    )
    card.figure(
        view,
        "Share answered",
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
        "Time to resolution",
        "fct_issue_resolution",
        query("resolution"),
        partial(percentiles, repo=repo, values=(None, "p50_days", "p85_days"), title="Days to close"),
        drawn=query("resolution_drawn"),
        extra=of_one,
        keys=("repo", "week"),
        note="Line: median, on a logarithmic scale. Shade: up to the 85th percentile.",
    )
    card.figure(
        view,
        "Backlog",
        "fct_issue_backlog",
        query("backlog"),
        backlog,
        drawn=query("backlog_drawn"),
        extra=weekly,
        keys=("repo", "week"),
    )
    card.figure(
        view,
        "Oldest unanswered issues",
        "fct_unanswered_issues",
        query("unanswered"),
        unanswered,
        keys=("repo", "number"),
        empty="Every open issue has an answer.",
    )


PAGE = Page(title="Issues", icon=":material/adjust:", order=30, show=show)
