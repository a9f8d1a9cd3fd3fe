"""Commits: how much is written, by whom, and how many people it rests on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, session
from dashboard.totals import summed

AUTHORED = """
SELECT repo, CAST(date_trunc(:grain, commit_author_date) AS date) AS date, sum(num_commits) AS num_commits
FROM gold.fct_all_time_author_commits_trend
WHERE repo IN :repos AND commit_author_date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
COMMITTED = """
SELECT repo, CAST(date_trunc(:grain, commit_committer_date) AS date) AS date, sum(num_commits) AS num_commits
FROM gold.fct_all_time_committer_commits_trend
WHERE repo IN :repos AND commit_committer_date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
TOP_AUTHORS = """
SELECT repo, author, num_commits, rank
FROM gold.fct_num_author_commits_by_repo
WHERE repo IN :repos AND rank <= 3
ORDER BY repo, rank, author
"""
TOP_COMMITTERS = """
SELECT repo, committer, num_commits, rank
FROM gold.fct_num_committer_commits_by_repo
WHERE repo IN :repos AND rank <= 3
ORDER BY repo, rank, committer
"""
CONTRIBUTORS = summed(
    """
    SELECT repo, month AS date, "new" AS newcomers, "returning" AS returners, inactive
    FROM gold.fct_contributors
    WHERE repo IN :repos AND month BETWEEN :first_month AND :last
""",
    "github_commits",
    {"new": "newcomers", "returning": "returners", "inactive": "inactive"},
    "people",
)
ABSENCE = """
SELECT repo, window_days, factor, contributors, commits
FROM gold.fct_contributor_absence_factor
WHERE repo IN :repos
ORDER BY repo, CASE WHEN window_days = 0 THEN 1 ELSE 0 END, window_days
"""
ABSENCE_TREND = """
SELECT repo, month, factor, contributors, commits
FROM gold.fct_absence_factor_trend
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
"""
BOTS = """
SELECT repo, author, num_commits
FROM gold.fct_num_author_commits_by_repo
WHERE repo IN :repos AND is_bot
ORDER BY repo, num_commits DESC, author
"""

FIRST_COMMITS = """
SELECT repo, author, first_commit_date
FROM gold.fct_first_commits
WHERE repo IN :repos AND first_commit_date BETWEEN :first AND :last
ORDER BY first_commit_date DESC, repo, author
"""

MOST_NEW = 100  # a longer list is read as a file
MOST_TIED = 5  # bars a repository; equal counts share a rank, so a top 3 may be many
WINDOWS = {30: "30 days", 90: "90 days", 365: "1 year", 0: "all time"}

page = session.current()
every_repo = tuple(name for _, kind, name in page.members if kind == "repo")
grain = page.selection.grain

st.title("Commits", anchor=False)
found_breaks = card.breaks(page, ["github_commits"], page.selection.repos)


def over_time(frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_commits")
    charts.show(
        charts.stacked(
            kept,
            "date",
            "repo",
            "num_commits",
            "Commits",
            grain=grain,
            everything=every_repo,
            breaks=found_breaks,
            over=page.over,
        ),
        alt="Commits of each repository over time. The card below has the rows.",
        said=(charts.counted(grain), charts.left_out(left, "repositories with the most commits")),
        breaks=card.explained(found_breaks),
    )


def top(frame: pd.DataFrame, who: str) -> None:
    kept, left = charts.top_series(frame, "repo", "num_commits")
    drawn = kept.groupby("repo", sort=False).head(MOST_TIED)
    tied = len(kept) - len(drawn)
    charts.show(
        charts.ranked(drawn, who, "repo", "num_commits", "Commits, all time", everything=every_repo),
        alt=f"The three {who}s with the most commits of each repository. The card below has the rows.",
        said=(
            f"{tied} more share a rank with these; the card has them." if tied else "",
            charts.left_out(left, "repositories with the most commits by these"),
        ),
    )


def contributors(frame: pd.DataFrame) -> None:
    charts.show(
        charts.lines(
            frame, "date", "kind", "people", "People per month", grain="month", everything=("new", "returning", "inactive"),
            breaks=found_breaks, over=page.over,
        ),
        alt="New, returning and inactive contributors per month. The card below has the rows.",
        breaks=card.explained(found_breaks),
    )  # fmt: skip


def absence(frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame.assign(window=frame["window_days"].map(WINDOWS)), "repo", "commits")
    charts.show(
        charts.side_by_side(
            kept, "window", "repo", "factor", "People", order=list(WINDOWS.values()), axis="Window", everything=every_repo
        ),
        alt="Contributor absence factor by window and repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
    )


def absence_over_time(frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "commits")
    charts.show(
        charts.lines(
            kept, "month", "repo", "factor", "People behind half of a year", grain="month", everything=every_repo,
            breaks=found_breaks, over=page.over,
        ),
        alt="Contributor absence factor of the year that ends with each month, by repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
        breaks=card.explained(found_breaks),
    )  # fmt: skip


def first_commits(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame.head(MOST_NEW),
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": "Repository",
            "author": "Author",
            "first_commit_date": st.column_config.DateColumn("First commit (UTC)", format="YYYY-MM-DD"),
        },
        alt="People by the day of their first commit, the latest first",
    )
    if len(frame) > MOST_NEW:
        st.caption(f"{MOST_NEW} of {len(frame):,} shown; the card has all to download.")


def bots(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": "Repository",
            "author": "Bot",
            "num_commits": st.column_config.NumberColumn("Commits", format="localized"),
        },
        alt="Commits by bots, all time",
    )


card.figure(
    page, "Commits by author date", "fct_all_time_author_commits_trend", AUTHORED, over_time, keys=("repo", "date"), step=grain
)
card.figure(
    page,
    "Commits by committer date",
    "fct_all_time_committer_commits_trend",
    COMMITTED,
    over_time,
    keys=("repo", "date"),
    step=grain,
)
left, right = st.columns(2)
with left:
    card.figure(
        page,
        "Top 3 authors",
        "fct_num_author_commits_by_repo",
        TOP_AUTHORS,
        lambda frame: top(frame, "author"),
        keys=("repo", "author"),
    )
with right:
    card.figure(
        page,
        "Top 3 committers",
        "fct_num_committer_commits_by_repo",
        TOP_COMMITTERS,
        lambda frame: top(frame, "committer"),
        keys=("repo", "committer"),
    )
card.figure(
    page,
    "Contributors: new, returning, inactive",
    "fct_contributors",
    CONTRIBUTORS,
    contributors,
    keys=("date", "kind"),
    step="month",
    note="Summed over the repositories: somebody active in two counts twice. A month that is not known of each is a gap.",
)
# A publication from before the table was made has none.
if page.has("fct_first_commits"):
    card.figure(
        page,
        "First commits",
        "fct_first_commits",
        FIRST_COMMITS,
        first_commits,
        keys=("repo", "author"),
        empty="Nobody wrote a first commit in this period.",
    )
card.figure(
    page, "Contributor absence factor", "fct_contributor_absence_factor", ABSENCE, absence, keys=("repo", "window_days")
)
card.figure(
    page,
    "Absence factor over time",
    "fct_absence_factor_trend",
    ABSENCE_TREND,
    absence_over_time,
    keys=("repo", "month"),
)
card.figure(
    page, "Bots", "fct_num_author_commits_by_repo", BOTS, bots, keys=("repo", "author"), empty="No bot wrote a commit here."
)
