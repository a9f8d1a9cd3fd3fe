"""Commits: whether a project is alive, and how many people it depends on."""

from __future__ import annotations

from datetime import date
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import behind, card, charts, filters, queries, rolling
from dashboard.multiples import Multiples
from dashboard.page import Page
from dashboard.rolling import Rolling
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["github_commits"]
FIGURES = (
    Rolling("commits_28d", "Commits by people in 28 days", "commits", "commits"),
    Rolling("active_people_28d", "People with a commit in 28 days", "active-people", "commits"),
    Rolling(
        "absence_factor_365d",
        "Fewest people who made half of the commits in a year",
        "absence-factor-over-time",
        "commits",
        note="The lower the number, the fewer people the project depends on.",
    ),
)
MOST_NEW = 100  # a longer list is better read as a file
MOST_TIED = 5  # bars per repository: equal counts share a rank, so a top 3 can be long
WINDOWS = {30: "30 days", 90: "90 days", 365: "1 year", 0: "all time"}


def over_time(view: View, frame: pd.DataFrame, *, key: str, title: str) -> date | None:
    kept, left = charts.top_series(frame, "repo", "num_commits")
    return charts.show(
        charts.lines(
            kept,
            "date",
            "repo",
            "num_commits",
            title,
            unit="Commits",
            grain=view.selection.grain,
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.repos, kept["date"]),
            over=view.over,
        ),
        alt="Commits of each repository over time. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
        key=key,
    )


def commits_at(view: View, frame: pd.DataFrame, picked: date) -> None:
    """Where GitHub lists the commits of a point."""
    last = (pd.Timestamp(picked) + charts.STEPS[view.selection.grain] - pd.DateOffset(days=1)).date()
    rows = frame[frame["date"] == pd.Timestamp(picked)]
    behind.links(
        f"**{picked} to {last}** (UTC). GitHub lists commits by committer date:",
        [
            {"Repository": row["repo"], "Commits": row["num_commits"], "Open": behind.commits(row["repo"], picked, last)}
            for row in rows.to_dict("records")
        ],
    )


def top(view: View, frame: pd.DataFrame, *, who: str) -> None:
    kept, left = charts.top_series(frame, "repo", "num_commits")
    drawn = kept.groupby("repo", sort=False).head(MOST_TIED)
    tied = len(kept) - len(drawn)
    charts.show(
        charts.ranked(
            drawn,
            who,
            "repo",
            "num_commits",
            f"Commits by {who}, all time",
            unit="Commits",
            looks=view.looks,
            per_row=2,
        ),
        alt=f"The three {who}s with the most commits in each repository. The card below has the rows.",
        said=(
            f"{tied} more are tied with these; the card lists them." if tied else "",
            charts.left_out(left, f"repositories with the most commits by top {who}s"),
        ),
    )


def contributors(view: View, frame: pd.DataFrame) -> None:
    Multiples(
        time="month",
        parts=("new", "returning", "inactive"),
        title="New, returning and inactive contributors",
        unit="People",
        grain="month",
        sources=SOURCES,
        listed=behind.commits,
    ).show(view, frame)


def first_commits(_: View, frame: pd.DataFrame) -> None:
    shown = frame.head(MOST_NEW)
    st.dataframe(
        shown.assign(
            link=[
                behind.commits(repo, day.date(), day.date())
                for repo, day in zip(shown["repo"], shown["first_commit_date"], strict=True)
            ]
        ),
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": "Repository",
            "author": "Author",
            "first_commit_date": st.column_config.DateColumn("First commit (UTC)", format="YYYY-MM-DD"),
            "link": st.column_config.LinkColumn("Commits of the day", display_text="on GitHub"),
        },
        alt="People by the date of their first commit, latest first",
    )
    if len(frame) > MOST_NEW:
        st.caption(f"Showing {MOST_NEW} of {len(frame):,}; download all from the card.")


def absence(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame.assign(window=frame["window_days"].map(WINDOWS)), "repo", "commits")
    charts.show(
        charts.columns(
            kept.dropna(subset=["factor"]),
            "window",
            "repo",
            "factor",
            "Fewest people who made half of the commits",
            unit="People",
            order=list(WINDOWS.values()),
            axis="Window",
            looks=view.looks,
        ),
        alt="Contributor absence factor by window and repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
    )


def absence_over_time(view: View, frame: pd.DataFrame) -> None:
    kept, left = charts.top_series(frame, "repo", "commits")
    charts.show(
        charts.lines(
            kept,
            "month",
            "repo",
            "factor",
            "Fewest people who made half of the commits in a year",
            unit="People",
            grain="month",
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.repos, kept["month"]),
            over=view.over,
        ),
        alt="Contributor absence factor of the year that ends with each month, by repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most commits"),),
    )


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
    for figure in FIGURES:
        rolling.show(view, figure)
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
    if filters.raw("Unsmoothed values of each repository"):
        by_repository(view)


def by_repository(view: View) -> None:
    """What the rolling figures are made of, and lists over all time."""
    grain = view.selection.grain
    for title, table, name in (
        ("Commits by author date", "fct_all_time_author_commits_trend", "authored"),
        ("Commits by committer date", "fct_all_time_committer_commits_trend", "committed"),
    ):
        card.figure(
            view,
            title,
            table,
            query(name),
            partial(over_time, key=f"chart-{name}", title=title),
            keys=("repo", "date"),
            step=grain,
            behind=commits_at,
        )
    card.figure(
        view,
        "Contributors: new, returning, inactive",
        "fct_contributors",
        query("contributors"),
        contributors,
        keys=("repo", "month"),
    )
    left, right = st.columns(2)
    for column, who, table, name in (
        (left, "author", "fct_num_author_commits_by_repo", "top_authors"),
        (right, "committer", "fct_num_committer_commits_by_repo", "top_committers"),
    ):
        with column:
            card.figure(
                view,
                f"Top 3 {who}s of all time",
                table,
                query(name),
                partial(top, who=who),
                keys=("repo", who),
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
        "Absence factor by repository",
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
