"""The metrics that Compare can show: each is a query for project, date and value.

How a project's value is made from those of its repositories or packages is in `says`. It is null unless each has one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from dashboard import queries

query = queries.beside(__file__)


class Metric(NamedTuple):
    """`table` names the definition, `grain` is the step between the query's dates, `kind` is what the metric is measured on."""

    title: str
    table: str
    grain: str
    says: str
    sql: str
    value_format: str = ",.0f"
    kind: Literal["repo", "package"] = "repo"


_SUMMED = "Summed over the project's repositories."
_SLOWEST = "The value of the project's slowest repository."

METRICS: dict[str, Metric] = {
    "commits": Metric("Commits per week", "fct_all_time_author_commits_trend", "week", _SUMMED, query("commits")),
    "contributors": Metric(
        "Active contributors per month", "fct_contributors", "month",
        f"{_SUMMED} Anyone active in two of them counts twice.", query("contributors"),
    ),
    "newcomers": Metric(
        "New contributors per month", "fct_contributors", "month",
        f"{_SUMMED} Anyone new to two of them counts twice.", query("newcomers"),
    ),
    "absence": Metric(
        "Absence factor, year", "fct_absence_factor_trend", "month",
        "The lowest value among the project's repositories, over the year that ends with the month.", query("absence"),
    ),
    "releases": Metric(
        "Releases per month", "fct_releases", "month", "Final releases that were not yanked, on PyPI and on GitHub.",
        query("releases"),
    ),
    "downloads": Metric(
        "Downloads in 7 days", "fct_percent_change_downloads_overall", "day",
        "Without mirrors, summed over the project's packages.", query("downloads"), kind="package",
    ),
    "stars": Metric("Stars", "fct_all_time_base_repo_stats", "day", _SUMMED, query("stars")),
    "forks": Metric("Forks", "fct_all_time_base_repo_stats", "day", _SUMMED, query("forks")),
    "subscribers": Metric("Subscribers", "fct_all_time_base_repo_stats", "day", _SUMMED, query("subscribers")),
    "opened": Metric("Issues opened per week", "fct_all_time_issues_trend", "week", _SUMMED, query("opened")),
    "closed": Metric("Issues closed per week", "fct_all_time_issues_trend", "week", _SUMMED, query("closed")),
    "open": Metric("Open issues", "fct_issue_backlog", "week", _SUMMED, query("open")),
    "backlog": Metric(
        "Backlog index", "fct_issue_backlog", "week",
        "Issues closed in all repositories, divided by those opened.", query("backlog"), ",.2f",
    ),
    "answered": Metric(
        "Share of issues answered", "fct_issue_response", "week",
        "The share of the week's new issues that were answered, in all repositories.", query("answered"), ".0%",
    ),
    "response": Metric(
        "Median hours to first response", "fct_issue_response", "week", _SLOWEST, query("response"), ",.1f"
    ),
    "resolution": Metric(
        "Median days to close an issue", "fct_issue_resolution", "week", _SLOWEST, query("resolution"), ",.1f"
    ),
    "pulls": Metric("Pull requests opened per month", "fct_change_requests", "month", _SUMMED, query("pulls")),
    "acceptance": Metric(
        "Pull requests accepted", "fct_change_requests", "month",
        "Merged pull requests as a share of those that were merged or closed, in all repositories.", query("acceptance"), ".0%",
    ),
    "merge": Metric("Median days to merge", "fct_change_requests", "month", _SLOWEST, query("merge"), ",.1f"),
}  # fmt: skip

BIRTHS = query("births")
