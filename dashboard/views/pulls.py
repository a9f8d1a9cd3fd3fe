"""Pull requests: how fast they are merged, how many are accepted, and which ones are waiting."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import behind, card, charts, filters, queries, rolling
from dashboard.multiples import Multiples
from dashboard.page import Page
from dashboard.rolling import Rolling
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["github_pulls"]
FIGURES = (
    Rolling(
        "merge_median_days_12w",
        "Median days from opening to merge, merges over 12 weeks",
        "time-to-merge",
        "merged",
        is_log=True,
    ),
    Rolling("acceptance_12w", "Share of ended pull requests that were merged, 12 weeks", "acceptance", "ended"),
)
MOST_OPEN = 50  # a longer list is better read as a file


def waiting(_: View, frame: pd.DataFrame) -> None:
    bots = st.toggle("Show bots too", key="bots", bind="query-params")
    shown = frame if bots else frame[~frame["is_bot"]]
    if not len(shown):
        st.info("No open pull requests by people.", icon=":material/inbox:")
        return
    behind.issue_table(shown.head(MOST_OPEN), "The oldest open pull requests")
    if len(shown) > MOST_OPEN:
        st.caption(f"Showing {MOST_OPEN} of {len(shown):,}; download all from the card.")


def outcomes(view: View, frame: pd.DataFrame) -> None:
    Multiples(
        time="month",
        parts=("merged", "closed_unmerged", "still_open"),
        title="Pull requests by outcome",
        unit="Pull requests opened",
        grain="month",
        sources=SOURCES,
        listed=behind.pulls,
        are_parts_of_one=True,
    ).show(view, frame)


def by_repo(view: View, frame: pd.DataFrame, *, value: str, title: str, unit: str, value_format: str) -> None:
    kept, left = charts.top_series(frame, "repo", "merged")
    charts.show(
        charts.lines(
            kept.assign(beside="(" + kept["merged"].map("{:,}".format) + " merged)"),
            "month",
            "repo",
            value,
            title,
            unit=unit,
            grain="month",
            looks=view.looks,
            breaks=card.breaks(view, SOURCES, view.selection.repos, kept["month"]),
            beside="beside",
            value_format=value_format,
            over=view.over,
        ),
        alt=f"{title} by month and repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most merged pull requests"),),
    )


def show(view: View) -> None:
    st.title("Pull requests", anchor=False)
    for figure in FIGURES:
        rolling.show(view, figure)
    # Old publications lack the table.
    if view.has("fct_open_change_requests"):
        card.figure(
            view,
            "Oldest open pull requests",
            "fct_open_change_requests",
            query("waiting"),
            waiting,
            keys=("repo", "number"),
            empty="No open pull requests.",
        )
    if filters.raw("Monthly values of each repository"):
        monthly_values(view)


def monthly_values(view: View) -> None:
    """What the rolling figures are made of, unsmoothed, by the month of opening."""
    card.figure(
        view,
        "Opened, merged, closed",
        "fct_change_requests",
        query("outcomes"),
        outcomes,
        keys=("repo", "month"),
        note="Recent months change until their pull requests are merged or closed.",
    )
    card.figure(
        view,
        "Acceptance by month",
        "fct_change_requests",
        query("acceptance"),
        partial(by_repo, value="acceptance_ratio", title="Share merged, by month of opening", unit="Share", value_format=".0%"),
        keys=("repo", "month"),
    )
    card.figure(
        view,
        "Time to merge by month",
        "fct_change_requests",
        query("time_to_merge"),
        partial(
            by_repo,
            value="p50_days_to_merge",
            title="Median days to merge, by month of opening",
            unit="Days",
            value_format=",.1f",
        ),
        keys=("repo", "month"),
    )


PAGE = Page(title="Pull requests", icon=":material/merge:", order=40, show=show)
