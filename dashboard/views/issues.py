"""Issues: how many come, how fast they are answered and closed, and which ones wait."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, session, text
from dashboard.backends import Value
from dashboard.totals import summed

TREND = summed(
    """
    SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, sum(num_opened) AS opened, sum(num_closed) AS closed
    FROM gold.fct_all_time_issues_trend
    WHERE repo IN :repos AND date BETWEEN :first AND :last
    GROUP BY 1, 2
""",
    "github_issues",
    {"opened": "opened", "closed": "closed"},
    "issues",
)
OPEN = """
SELECT repo, date, num_open
FROM gold.fct_all_time_issues_trend
WHERE repo IN :repos AND date BETWEEN :first AND :last
ORDER BY repo, date
"""
OPEN_DRAWN = """
SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, max_by(num_open, date) AS num_open
FROM gold.fct_all_time_issues_trend
WHERE repo IN :repos AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
TRAILING = """
SELECT repo, date, issues_last_7_days
FROM gold.fct_last_7_days_fct_issues
WHERE repo IN :repos AND date BETWEEN :first AND :last
ORDER BY repo, date
"""
TRAILING_DRAWN = """
SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, avg(issues_last_7_days) AS issues_last_7_days
FROM gold.fct_last_7_days_fct_issues
WHERE repo IN :repos AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
DAYS_TO_UPDATE = """
SELECT repo, days_to_update, sum(num_issues) AS num_issues
FROM (
    SELECT
        repo,
        num_issues,
        CASE
            WHEN num_days < 1 THEN '0'
            WHEN num_days <= 7 THEN '1–7'
            WHEN num_days <= 30 THEN '8–30'
            WHEN num_days <= 90 THEN '31–90'
            WHEN num_days <= 365 THEN '91–365'
            ELSE 'over 365'
        END AS days_to_update
    FROM gold.fct_num_updated_issues
    WHERE repo IN :repos
) AS binned
GROUP BY 1, 2
ORDER BY 1, 2
"""
LABELS = """
SELECT repo, label, num_issues, rank
FROM gold.fct_num_labels_per_repo
WHERE repo IN :repos AND rank <= 3
ORDER BY repo, rank, label
"""
RESPONSE = """
SELECT repo, week, p15_hours, p50_hours, p85_hours, issues_opened, answered, unanswered
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
"""
# The tables below have weeks: longer spans are drawn by months, shorter ones as they are.
RESPONSE_DRAWN = """
SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    median(p15_hours) AS p15_hours,
    median(p50_hours) AS p50_hours,
    median(p85_hours) AS p85_hours,
    sum(issues_opened) AS issues_opened
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
RESOLUTION = """
SELECT repo, week, p50_days, p85_days, issues_closed
FROM gold.fct_issue_resolution
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
"""
RESOLUTION_DRAWN = """
SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    median(p50_days) AS p50_days,
    median(p85_days) AS p85_days,
    sum(issues_closed) AS issues_closed
FROM gold.fct_issue_resolution
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
BACKLOG = """
SELECT repo, week, backlog_index, opened_8w, closed_8w, open_at_end, median_age_days
FROM gold.fct_issue_backlog
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
"""
BACKLOG_DRAWN = """
SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    max_by(backlog_index, week) AS backlog_index,
    max_by(open_at_end, week) AS open_at_end,
    max_by(median_age_days, week) AS median_age_days,
    sum(opened_8w) AS opened_8w
FROM gold.fct_issue_backlog
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
UNANSWERED = """
SELECT repo, number, title, author, created_at, age_days, comments, url
FROM gold.fct_unanswered_issues
WHERE repo IN :repos
ORDER BY age_days DESC, repo, number
"""
ANSWERED = """
SELECT repo, week, CAST(answered AS double) / nullif(issues_opened, 0) AS share, answered, unanswered, issues_opened
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
"""
ANSWERED_DRAWN = """
SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    CAST(sum(answered) AS double) / nullif(sum(issues_opened), 0) AS share,
    sum(issues_opened) AS issues_opened
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""

TICKS = {"p50_hours": [0, 1, 6, 24, 72, 168, 720, 2160], "p50_days": [0, 1, 3, 7, 30, 90, 365, 1095]}
BUCKETS = ["0", "1–7", "8–30", "31–90", "91–365", "over 365"]

MOST_ISSUES = 50  # a longer list is read as a file
# Columns of the backlog: title of the axis, how to write it, and the level that means something.
BACKLOGS = {
    "backlog_index": ("Closed per opened, 8 weeks", ".2f", 1.0),
    "open_at_end": ("Open at the end", ",.0f", None),
    "median_age_days": ("Median age of open issues (days)", ",.0f", None),
}

page = session.current()
every_repo = tuple(name for _, kind, name in page.members if kind == "repo")
grain = page.selection.grain
spans = "month" if grain == "month" else "week"

st.title("Issues", anchor=False)
found_breaks = card.breaks(page, ["github_issues"], page.selection.repos)


def trend(frame: pd.DataFrame) -> None:
    charts.show(
        charts.lines(
            frame,
            "date",
            "kind",
            "issues",
            "Issues",
            grain=grain,
            everything=("opened", "closed"),
            breaks=found_breaks,
            over=page.over,
        ),
        alt="Issues opened and closed over time. The card below has the rows.",
        said=(charts.counted(grain),),
        breaks=card.explained(found_breaks),
    )


def daily(frame: pd.DataFrame, value: str, title: str, point: str) -> None:
    kept, left = charts.top_series(frame, "repo", value)
    charts.show(
        charts.lines(
            kept, "date", "repo", value, title, grain=grain, everything=every_repo, breaks=found_breaks, over=page.over
        ),
        alt=f"{title} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(grain, point),
            charts.left_out(left, "repositories with the largest figures"),
        ),
        breaks=card.explained(found_breaks),
    )


def buckets(frame: pd.DataFrame) -> None:
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
            everything=every_repo,
        ),
        alt="Issues by days from opening to the last update. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most issues"),),
    )


def labels(frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_issues")
    charts.show(
        charts.ranked(kept, "label", "repo", "num_issues", "Issues", everything=every_repo),
        alt="The three labels on most issues of each repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most such issues"),),
    )


def percentiles(frame: pd.DataFrame, values: tuple[str | None, str, str], title: str) -> None:
    found = card.breaks(page, ["github_issues", "github_comments"], [one_repo])
    charts.show(
        charts.band(
            frame, "week", "repo", values, title, grain=spans, ticks=TICKS[values[1]], everything=every_repo, breaks=found,
            over=page.over,
        ),
        alt=f"{title} for {one_repo} over time, median and percentiles. The card below has the rows.",
        said=(charts.summed_up(spans, "the middle week", "week"),),
        breaks=card.explained(found),
    )  # fmt: skip


def answered(frame: pd.DataFrame) -> None:
    found = card.breaks(page, ["github_issues", "github_comments"], [one_repo])
    charts.show(
        charts.lines(
            frame, "week", "repo", "share", "Answered of those opened", grain=spans, everything=every_repo,
            breaks=found, over=page.over, value_format=".0%", axis_format="%",
        ),
        alt=f"Share of the issues that are answered, by the time of opening, for {one_repo}. The card below has the rows.",
        said=(charts.counted(spans),),
        breaks=card.explained(found),
    )  # fmt: skip


def backlog(frame: pd.DataFrame) -> None:
    which: str = filters.of_page(
        st.radio,
        "figure of the backlog",
        "Of the backlog",
        list(BACKLOGS),
        key="backlog",
        title=lambda column: BACKLOGS[column][0],
        horizontal=True,
    )
    title, value_format, reference = BACKLOGS[which]
    kept, left = charts.top_series(frame, "repo", "opened_8w")
    charts.show(
        charts.lines(
            kept, "week", "repo", which, title, grain=spans, everything=every_repo,
            breaks=found_breaks, value_format=value_format, reference=reference, over=page.over,
        ),
        alt=f"{title} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(spans, "the last week", "week"),
            charts.left_out(left, "repositories with the most issues opened"),
            "" if reference is None else "Above the line at 1 more is closed than opened: the backlog shrinks.",
        ),
        breaks=card.explained(found_breaks),
    )  # fmt: skip


def unanswered(frame: pd.DataFrame) -> None:
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
        st.caption(f"{MOST_ISSUES} of {len(frame):,} shown; the card has all to download.")


card.figure(page, "Issues over time", "fct_all_time_issues_trend", TREND, trend, keys=("date", "kind"), step=grain)
card.figure(
    page,
    "Open issues",
    "fct_all_time_issues_trend",
    OPEN,
    lambda f: daily(f, "num_open", "Open issues", "the last day"),
    drawn=OPEN_DRAWN,
    keys=("repo", "date"),
)
card.figure(
    page,
    "Issues opened in the trailing 7 days",
    "fct_last_7_days_fct_issues",
    TRAILING,
    lambda f: daily(f, "issues_last_7_days", "Opened in 7 days", "the mean"),
    drawn=TRAILING_DRAWN,
    keys=("repo", "date"),
)
left_column, right_column = st.columns(2)
with left_column:
    card.figure(page, "Days to update", "fct_num_updated_issues", DAYS_TO_UPDATE, buckets, keys=("repo", "days_to_update"))
with right_column:
    card.figure(
        page,
        "Top 3 labels",
        "fct_num_labels_per_repo",
        LABELS,
        labels,
        keys=("repo", "label"),
        empty="No issue here carries a label.",
    )
one_repo = (
    filters.of_page(
        st.selectbox, "repository", "Repository for the three figures below", page.selection.repos, key="answers_of"
    )
    if page.selection.repos
    else ""
)
of_one: dict[str, Value] = {"spans": spans, "repos": (one_repo,)}
card.figure(
    page,
    "Time to first response",
    "fct_issue_response",
    RESPONSE,
    lambda f: percentiles(f, ("p15_hours", "p50_hours", "p85_hours"), "Hours to first answer"),
    drawn=RESPONSE_DRAWN,
    extra=of_one,
    keys=("repo", "week"),
    note="Line: the median on a logarithmic scale. Shade: from the 15th to the 85th percentile. Young weeks change as answers "
    "come in. To see several projects, choose the metric on the Compare page.",
)
card.figure(
    page,
    "Share answered",
    "fct_issue_response",
    ANSWERED,
    answered,
    drawn=ANSWERED_DRAWN,
    extra=of_one,
    keys=("repo", "week"),
    note="Young weeks change as answers come in.",
)
card.figure(
    page,
    "Time to resolution",
    "fct_issue_resolution",
    RESOLUTION,
    lambda f: percentiles(f, (None, "p50_days", "p85_days"), "Days to close"),
    drawn=RESOLUTION_DRAWN,
    extra=of_one,
    keys=("repo", "week"),
    note="Line: the median on a logarithmic scale. Shade: up to the 85th percentile.",
)
card.figure(
    page,
    "Backlog",
    "fct_issue_backlog",
    BACKLOG,
    backlog,
    drawn=BACKLOG_DRAWN,
    extra={"spans": spans},
    keys=("repo", "week"),
)
card.figure(
    page,
    "Oldest unanswered issues",
    "fct_unanswered_issues",
    UNANSWERED,
    unanswered,
    keys=("repo", "number"),
    empty="Every open issue has an answer.",
)
