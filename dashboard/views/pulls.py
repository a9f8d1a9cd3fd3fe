"""Pull requests: how many come, how many are taken, and how long that takes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import card, charts, session

OUTCOMES = """
SELECT month AS date, kind, sum(pulls) AS pulls
FROM (
    SELECT repo, month, 'merged' AS kind, merged AS pulls FROM gold.fct_change_requests
    UNION ALL
    SELECT repo, month, 'closed unmerged' AS kind, closed_unmerged AS pulls FROM gold.fct_change_requests
    UNION ALL
    SELECT repo, month, 'still open' AS kind, still_open AS pulls FROM gold.fct_change_requests
) AS kinds
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
GROUP BY 1, 2
ORDER BY CASE kind WHEN 'merged' THEN 1 WHEN 'closed unmerged' THEN 2 ELSE 3 END, 1
"""
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
months = {"first_month": page.selection.first.replace(day=1)}
found_breaks = card.breaks(page, ["github_pulls"], page.selection.repos)

st.title("Pull requests", anchor=False)


def outcomes(frame: pd.DataFrame) -> None:
    kinds = ("merged", "closed unmerged", "still open")
    charts.show(
        charts.stacked(
            frame, "date", "kind", "pulls", "Opened in the month", grain="month", everything=kinds, breaks=found_breaks
        ),
        alt="Pull requests by the month in which they were opened and how they ended. The card below has the rows.",
    )
    card.explain_breaks(found_breaks)


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
        ),
        alt=f"{title} by month and repository. The card below has the rows.",
    )
    charts.explain(charts.left_out(left, "repositories with the most merged pull requests"))


card.figure(page, "Opened, merged, closed", "fct_change_requests", OUTCOMES, outcomes, keys=("date", "kind"), extra=months)
card.figure(
    page,
    "Acceptance",
    "fct_change_requests",
    ACCEPTANCE,
    lambda frame: by_repo(frame, "acceptance_ratio", "Merged of ended", ".0%"),
    keys=("repo", "month"),
    extra=months,
)
card.figure(
    page,
    "Time to merge",
    "fct_change_requests",
    TIME_TO_MERGE,
    lambda frame: by_repo(frame, "p50_days_to_merge", "Median days to merge", ",.1f"),
    keys=("repo", "month"),
    extra=months,
)
