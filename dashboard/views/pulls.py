"""Pull requests: how many come, how many are taken, and how long that takes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, session
from dashboard.totals import summed

OUTCOMES = summed(
    """
    SELECT repo, month AS date, merged, closed_unmerged, still_open
    FROM gold.fct_change_requests
    WHERE repo IN :repos AND month BETWEEN :first_month AND :last
""",
    "github_pulls",
    {"merged": "merged", "closed unmerged": "closed_unmerged", "still open": "still_open"},
    "pulls",
)
ACCEPTANCE = """
SELECT repo, month, acceptance_ratio, merged, closed_unmerged, still_open
FROM gold.fct_change_requests
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
"""
TIME_TO_MERGE = """
SELECT repo, month, p50_days_to_merge, merged
FROM gold.fct_change_requests
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
"""

page = session.current()
every_repo = tuple(name for _, kind, name in page.members if kind == "repo")
found_breaks = card.breaks(page, ["github_pulls"], page.selection.repos)

st.title("Pull requests", anchor=False)


def outcomes(frame: pd.DataFrame) -> None:
    kinds = ("merged", "closed unmerged", "still open")
    charts.show(
        charts.stacked(
            frame,
            "date",
            "kind",
            "pulls",
            "Opened in the month",
            grain="month",
            everything=kinds,
            breaks=found_breaks,
            over=page.over,
        ),
        alt="Pull requests by the month in which they were opened and how they ended. The card below has the rows.",
        breaks=card.explained(found_breaks),
    )


def by_repo(frame: pd.DataFrame, value: str, title: str, value_format: str) -> None:
    kept, left = charts.top_series(frame, "repo", "merged")
    charts.show(
        charts.lines(
            kept,
            "month",
            "repo",
            value,
            title,
            grain="month",
            everything=every_repo,
            breaks=found_breaks,
            value_format=value_format,
            axis_format="%" if "%" in value_format else "~s",
            over=page.over,
        ),
        alt=f"{title} by month and repository. The card below has the rows.",
        said=(charts.left_out(left, "repositories with the most merged pull requests"),),
        breaks=card.explained(found_breaks),
    )


card.figure(page, "Opened, merged, closed", "fct_change_requests", OUTCOMES, outcomes, keys=("date", "kind"), step="month")
card.figure(
    page,
    "Acceptance",
    "fct_change_requests",
    ACCEPTANCE,
    lambda frame: by_repo(frame, "acceptance_ratio", "Merged of ended", ".0%"),
    keys=("repo", "month"),
)
card.figure(
    page,
    "Time to merge",
    "fct_change_requests",
    TIME_TO_MERGE,
    lambda frame: by_repo(frame, "p50_days_to_merge", "Median days to merge", ",.1f"),
    keys=("repo", "month"),
)
