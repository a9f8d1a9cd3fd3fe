"""What Compare can put side by side: one entry a metric, each a query for project, date and value.

A project's value is made from those of its repositories or packages as `says` tells.
"""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """`table` names the definition; `grain` is the step between two dates of the query."""

    title: str
    table: str
    grain: str
    says: str
    sql: str
    value_format: str = ",.0f"


def _of_repos(table: str, date: str, value: str, where: str = "1 = 1") -> str:
    return f"""
SELECT members.project, {date} AS date, {value} AS value
FROM gold.{table} AS facts
JOIN gold.dim_projects AS members ON members.kind = 'repo' AND members.name = facts.repo
WHERE members.project IN :projects AND {where}
GROUP BY 1, 2
ORDER BY 1, 2
"""  # noqa: S608 - every part is written below


def _of_packages(value: str, where: str) -> str:
    return f"""
SELECT members.project, facts.date AS date, {value} AS value
FROM gold.fct_percent_change_downloads_overall AS facts
JOIN gold.dim_projects AS members ON members.kind = 'package' AND members.name = facts.package
WHERE members.project IN :projects AND {where}
GROUP BY 1, 2
ORDER BY 1, 2
"""  # noqa: S608 - every part is written below


_SUM = "Summed over the project's repositories."
_WEEK_OF_DAY = "CAST(date_trunc('week', facts.{}) AS date)"

METRICS: dict[str, Metric] = {
    "commits": Metric(
        "Commits per week", "fct_all_time_author_commits_trend", "week", _SUM,
        _of_repos("fct_all_time_author_commits_trend", _WEEK_OF_DAY.format("commit_author_date"), "sum(facts.num_commits)"),
    ),
    "contributors": Metric(
        "Active contributors per month", "fct_contributors", "month", f"{_SUM} Somebody active in two counts twice.",
        _of_repos("fct_contributors", "facts.month", "sum(facts.active)"),
    ),
    "newcomers": Metric(
        "New contributors per month", "fct_contributors", "month", f"{_SUM} Somebody new to two counts twice.",
        _of_repos("fct_contributors", "facts.month", 'sum(facts."new")'),
    ),
    "downloads": Metric(
        "Downloads in 7 days", "fct_percent_change_downloads_overall", "day",
        "Without mirrors, summed over the project's packages.",
        _of_packages("sum(facts.downloads_7d)", "facts.category = 'without_mirrors' AND facts.downloads_7d IS NOT NULL"),
    ),
    "stars": Metric(
        "Stars", "fct_all_time_base_repo_stats", "day", _SUM,
        _of_repos("fct_all_time_base_repo_stats", "facts.snapshot_date", "sum(facts.stargazers_count)"),
    ),
    "forks": Metric(
        "Forks", "fct_all_time_base_repo_stats", "day", _SUM,
        _of_repos("fct_all_time_base_repo_stats", "facts.snapshot_date", "sum(facts.forks_count)"),
    ),
    "opened": Metric(
        "Issues opened per week", "fct_all_time_issues_trend", "week", _SUM,
        _of_repos("fct_all_time_issues_trend", _WEEK_OF_DAY.format("date"), "sum(facts.num_opened)"),
    ),
    "open": Metric(
        "Open issues", "fct_issue_backlog", "week", _SUM,
        _of_repos("fct_issue_backlog", "facts.week", "sum(facts.open_at_end)"),
    ),
    "backlog": Metric(
        "Backlog index", "fct_issue_backlog", "week", "Closed and opened are summed over the repositories before dividing.",
        _of_repos("fct_issue_backlog", "facts.week", "CAST(sum(facts.closed_8w) AS double) / nullif(sum(facts.opened_8w), 0)"),
        ",.2f",
    ),
    "answered": Metric(
        "Share of issues answered", "fct_issue_response", "week",
        "Answered as a share of those opened in the week, all repositories.",
        _of_repos(
            "fct_issue_response", "facts.week", "CAST(sum(facts.answered) AS double) / nullif(sum(facts.issues_opened), 0)"
        ),
        ".0%",
    ),
    "response": Metric(
        "Median hours to first response", "fct_issue_response", "week", "Of the project's slowest repository.",
        _of_repos("fct_issue_response", "facts.week", "max(facts.p50_hours)"),
        ",.1f",
    ),
    "resolution": Metric(
        "Median days to close an issue", "fct_issue_resolution", "week", "Of the project's slowest repository.",
        _of_repos("fct_issue_resolution", "facts.week", "max(facts.p50_days)"),
        ",.1f",
    ),
    "pulls": Metric(
        "Pull requests opened per month", "fct_change_requests", "month", _SUM,
        _of_repos("fct_change_requests", "facts.month", "sum(facts.opened)"),
    ),
    "acceptance": Metric(
        "Pull requests accepted", "fct_change_requests", "month",
        "Merged and ended are summed over the repositories before dividing.",
        _of_repos(
            "fct_change_requests", "facts.month",
            "CAST(sum(facts.merged) AS double) / nullif(sum(facts.merged + facts.closed_unmerged), 0)",
        ),
        ".0%",
    ),
    "merge": Metric(
        "Median days to merge", "fct_change_requests", "month", "Of the project's slowest repository.",
        _of_repos("fct_change_requests", "facts.month", "max(facts.p50_days_to_merge)"),
        ",.1f",
    ),
}  # fmt: skip
