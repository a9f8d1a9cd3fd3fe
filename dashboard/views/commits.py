"""Commits: how many there are, who makes them, and how many people they depend on."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import card, charts, queries
from dashboard.page import Page
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["github_commits"]
MOST_NEW = 100  # a longer list is better read as a file
MOST_TIED = 5  # bars per repository: equal counts share a rank, so a top 3 can be long
WINDOWS = {30: "30 days", 90: "90 days", 365: "1 year", 0: "all time"}


def over_time(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "num_commits")
    grain = view.selection.grain
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.stacked(
            kept,
            "date",
            "repo",
            "num_commits",
            "Commits",
            grain=grain,
            everything=view.every_repo,
            breaks=found,
            over=view.over,
        ),
        alt="Commits of each repository over time. The card below has the rows.",
        said=(charts.counted(grain), charts.left_out(left, "repositories with the most commits")),
        breaks=card.explained(found),
    )


def top(view: View, frame: pd.DataFrame, *, who: str) -> None:
    kept, left = charts.top_series(frame, "repo", "num_commits")
    drawn = kept.groupby("repo", sort=False).head(MOST_TIED)
    tied = len(kept) - len(drawn)
    charts.show(
        charts.ranked(drawn, who, "repo", "num_commits", "Commits, all time", everything=view.every_repo),
        alt=f"The three {who}s with the most commits in each repository. The card below has the rows.",
        said=(
            f"{tied} more share a rank with these; the card lists them." if tied else "",
            charts.left_out(left, f"repositories with the most commits by top {who}s"),
        ),
    )


def contributors(view: View, frame: pd.DataFrame) -> None:
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.lines(
            frame, "date", "kind", "people", "People per month", grain="month", everything=("new", "returning", "inactive"),
            breaks=found, over=view.over,
        ),
        alt="New, returning and inactive contributors per month. The card below has the rows.",
        breaks=card.explained(found),
    )  # fmt: skip


def first_commits(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame.head(MOST_NEW),
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": "Repository",
            "author": "Author",
            "first_commit_date": st.column_config.DateColumn("First commit (UTC)", format="YYYY-MM-DD"),
        },
        alt="People by the date of their first commit, latest first",
    )
    if len(frame) > MOST_NEW:
        st.caption(f"Showing {MOST_NEW} of {len(frame):,}; download all from the card.")


def absence(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame.assign(window=frame["window_days"].map(WINDOWS)), "repo", "commits")
    charts.show(
        charts.side_by_side(
            kept, "window", "repo", "factor", "People", order=list(WINDOWS.values()), axis="Window", everything=view.every_repo
        ),
        alt="Contributor absence factor by window and repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
    )


def absence_over_time(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "commits")
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.lines(
            kept, "month", "repo", "factor", "People behind half of the commits", grain="month", everything=view.every_repo,
            breaks=found, over=view.over,
        ),
        alt="Contributor absence factor of the year that ends with each month, by repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
        breaks=card.explained(found),
    )  # fmt: skip


def bots(_: View, frame: pd.DataFrame) -> None:
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


def show(view: View) -> None:
    st.title("Commits", anchor=False)
    grain = view.selection.grain
    card.figure(
        view,
        "Commits by author date",
        "fct_all_time_author_commits_trend",
        query("authored"),
        over_time,
        keys=("repo", "date"),
        step=grain,
    )
    card.figure(
        view,
        "Commits by committer date",
        "fct_all_time_committer_commits_trend",
        query("committed"),
        over_time,
        keys=("repo", "date"),
        step=grain,
    )
    left, right = st.columns(2)
    with left:
        card.figure(
            view,
            "Top 3 authors",
            "fct_num_author_commits_by_repo",
            query("top_authors"),
            partial(top, who="author"),
            keys=("repo", "author"),
        )
    with right:
        card.figure(
            view,
            "Top 3 committers",
            "fct_num_committer_commits_by_repo",
            query("top_committers"),
            partial(top, who="committer"),
            keys=("repo", "committer"),
        )
    card.figure(
        view,
        "Contributors: new, returning, inactive",
        "fct_contributors",
        query("contributors"),
        contributors,
        keys=("date", "kind"),
        step="month",
        note="Summed over the repositories: anyone active in two of them counts twice. Gap: data missing for a repository.",
    )
    # Old publications lack the table.
    if view.has("fct_first_commits"):
        card.figure(
            view,
            "First commits",
            "fct_first_commits",
            query("first_commits"),
            first_commits,
            keys=("repo", "author"),
            empty="Nobody made a first commit in this period.",
        )
    card.figure(
        view,
        "Contributor absence factor",
        "fct_contributor_absence_factor",
        query("absence"),
        absence,
        keys=("repo", "window_days"),
    )
    card.figure(
        view,
        "Absence factor over time",
        "fct_absence_factor_trend",
        query("absence_trend"),
        absence_over_time,
        keys=("repo", "month"),
    )
    card.figure(
        view,
        "Bots",
        "fct_num_author_commits_by_repo",
        query("bots"),
        bots,
        keys=("repo", "author"),
        empty="No commits by bots.",
    )


PAGE = Page(title="Commits", icon=":material/commit:", order=20, show=show)
