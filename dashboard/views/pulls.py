"""Pull requests: how many are opened, how many are merged, and how long that takes."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import card, charts, queries
from dashboard.page import Page
from dashboard.session import View

query = queries.beside(__file__)

SOURCES = ["github_pulls"]


def outcomes(view: View, frame: pd.DataFrame) -> None:
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.stacked(
            frame,
            "date",
            "kind",
            "pulls",
            "Opened in the month",
            grain="month",
            everything=("merged", "closed unmerged", "still open"),
            breaks=found,
            over=view.over,
        ),
        alt="Pull requests by the month they were opened in and by outcome. The card below has the rows.",
        breaks=card.explained(found),
    )


def by_repo(view: View, frame: pd.DataFrame, *, value: str, title: str, value_format: str) -> None:
    kept, left = charts.top_series(frame, "repo", "merged")
    found = card.breaks(view, SOURCES, view.selection.repos)
    charts.show(
        charts.lines(
            kept,
            "month",
            "repo",
            value,
            title,
            grain="month",
            everything=view.every_repo,
            breaks=found,
            value_format=value_format,
            axis_format="%" if "%" in value_format else "~s",
            over=view.over,
        ),
        alt=f"{title} by month and repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most merged pull requests"),),
        breaks=card.explained(found),
    )


def show(view: View) -> None:
    st.title("Pull requests", anchor=False)
    card.figure(
        view,
        "Opened, merged, closed",
        "fct_change_requests",
        query("outcomes"),
        outcomes,
        keys=("date", "kind"),
        step="month",
    )
    card.figure(
        view,
        "Acceptance",
        "fct_change_requests",
        query("acceptance"),
        partial(by_repo, value="acceptance_ratio", title="Share merged", value_format=".0%"),
        keys=("repo", "month"),
    )
    card.figure(
        view,
        "Time to merge",
        "fct_change_requests",
        query("time_to_merge"),
        partial(by_repo, value="p50_days_to_merge", title="Median days to merge", value_format=",.1f"),
        keys=("repo", "month"),
    )


PAGE = Page(title="Pull requests", icon=":material/merge:", order=40, show=show)
