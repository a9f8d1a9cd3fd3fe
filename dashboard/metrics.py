"""What Compare can put side by side: one entry a metric, each a query for project, date and value.

A project's value is made from those of its repositories or packages as `says` tells, and is null unless each has one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from dashboard.totals import held, total


class Metric(NamedTuple):
    """`table` names the definition; `grain` is the step between two dates of the query; `kind` is what a project needs."""

    title: str
    table: str
    grain: str
    says: str
    sql: str
    value_format: str = ",.0f"
    kind: Literal["repo", "package"] = "repo"


# Where a member has no row before `until`, nothing had happened.
_OF_MEMBERS = """
WITH members AS (
    SELECT project, name FROM gold.dim_projects WHERE kind = '{kind}' AND project IN :projects
),
known AS ({known}),
facts AS (
    SELECT {name} AS name, {date} AS date, {columns}
    FROM gold.{table}
    WHERE {where}
    GROUP BY 1, 2
),
dates AS (
    SELECT DISTINCT members.project, facts.date FROM members JOIN facts ON members.name = facts.name
)
SELECT dates.project, dates.date, {value} AS value
FROM dates
JOIN members ON dates.project = members.project
LEFT JOIN facts ON members.name = facts.name AND dates.date = facts.date
LEFT JOIN known ON members.name = known.name AND dates.date < known.until
GROUP BY 1, 2
ORDER BY 1, 2
"""
_CREATED = """
    SELECT repo AS name, CAST(min(created_at) AS date) AS until FROM gold.fct_all_time_base_repo_stats GROUP BY 1
"""
_FIRST_RELEASED = """
    SELECT scope AS name, CAST(min(released_at) AS date) AS until FROM gold.fct_releases WHERE source = 'pypi' GROUP BY 1
"""


def _held(*sources: str) -> str:
    return f"SELECT scope AS name, DATE '9999-12-31' AS until FROM ({held(*sources)}) AS whole"  # noqa: S608 - names of our own


def _of_repos(table: str, date: str, columns: str, value: str, known: str) -> str:
    return _OF_MEMBERS.format(
        kind="repo", name="repo", table=table, date=date, columns=columns, value=value, known=known, where="1 = 1"
    )


def _part(column: str) -> str:
    """A member's value; zero where nothing had happened yet, null where that is not known."""
    return f"CASE WHEN facts.name IS NULL AND known.name IS NOT NULL THEN 0 ELSE facts.{column} END"


def _sum(column: str) -> str:
    return total(_part(column))


def _ratio(part: str, whole: str) -> str:
    return f"CAST({_sum(part)} AS double) / nullif({_sum(whole)}, 0)"


def _worst(value: str, counted: str) -> str:
    """Null unless what it is made from was counted for each member; one that had nothing to count has no say."""
    return f"CASE WHEN count(*) = count({_part(counted)}) THEN {value} END"


_SUMMED = "Summed over the project's repositories."
_SLOWEST = "Of the project's slowest repository."
_WEEK_OF = "CAST(date_trunc('week', {}) AS date)"
_COMMITS, _ISSUES, _PULLS = _held("github_commits"), _held("github_issues"), _held("github_pulls")
_ANSWERS = _held("github_issues", "github_comments")


def _stats(title: str, column: str) -> Metric:
    table = "fct_all_time_base_repo_stats"
    return Metric(
        title, table, "day", _SUMMED,
        _of_repos(table, "snapshot_date", f"max({column}) AS n", _sum("n"), _CREATED),
    )  # fmt: skip


# A project has releases of its own; a month without one is a zero from the first one on.
_RELEASES = """
WITH known AS (
    SELECT members.project
    FROM gold.dim_projects AS members
    LEFT JOIN gold.fct_data_freshness AS fresh
        ON members.name = fresh.scope AND fresh.last_fetched_at IS NOT NULL
        AND fresh.source = CASE members.kind WHEN 'repo' THEN 'github_releases' ELSE 'pypi_releases' END
    WHERE members.project IN :projects
    GROUP BY 1
    HAVING count(*) = count(fresh.scope)
),
finals AS (
    SELECT project, CAST(date_trunc('month', released_at) AS date) AS date, count(*) AS releases
    FROM gold.fct_releases
    WHERE NOT is_prerelease AND NOT is_yanked
    GROUP BY 1, 2
),
months AS (
    SELECT month AS date FROM gold.fct_contributors UNION SELECT date FROM finals
),
firsts AS (
    SELECT project, min(date) AS first_date FROM finals GROUP BY 1
)
SELECT known.project, months.date, coalesce(finals.releases, 0) AS value
FROM known
JOIN firsts ON known.project = firsts.project
JOIN months ON firsts.first_date <= months.date
LEFT JOIN finals ON known.project = finals.project AND months.date = finals.date
ORDER BY 1, 2
"""

METRICS: dict[str, Metric] = {
    "commits": Metric(
        "Commits per week", "fct_all_time_author_commits_trend", "week", _SUMMED,
        _of_repos(
            "fct_all_time_author_commits_trend", _WEEK_OF.format("commit_author_date"), "sum(num_commits) AS n",
            _sum("n"), _COMMITS,
        ),
    ),
    "contributors": Metric(
        "Active contributors per month", "fct_contributors", "month", f"{_SUMMED} Somebody active in two counts twice.",
        _of_repos("fct_contributors", "month", "max(active) AS n", _sum("n"), _COMMITS),
    ),
    "newcomers": Metric(
        "New contributors per month", "fct_contributors", "month", f"{_SUMMED} Somebody new to two counts twice.",
        _of_repos("fct_contributors", "month", 'max("new") AS n', _sum("n"), _COMMITS),
    ),
    "absence": Metric(
        "Absence factor, year", "fct_absence_factor_trend", "month",
        "Of the project's weakest repository, over the year that ends with the month.",
        _of_repos(
            "fct_absence_factor_trend", "month", "max(factor) AS factor, max(commits) AS commits",
            _worst("min(facts.factor)", "commits"), _COMMITS,
        ),
    ),
    "releases": Metric(
        "Releases per month", "fct_releases", "month", "Final ones that are not yanked, on PyPI and on GitHub.", _RELEASES
    ),
    "downloads": Metric(
        "Downloads in 7 days", "fct_percent_change_downloads_overall", "day",
        "Without mirrors, summed over the project's packages.",
        _OF_MEMBERS.format(
            kind="package", name="package", date="date", columns="max(downloads_7d) AS n",
            table="fct_percent_change_downloads_overall", where="category = 'without_mirrors'", value=_sum("n"),
            known=_FIRST_RELEASED,
        ),
        kind="package",
    ),
    "stars": _stats("Stars", "stargazers_count"),
    "forks": _stats("Forks", "forks_count"),
    "subscribers": _stats("Subscribers", "subscribers_count"),
    "opened": Metric(
        "Issues opened per week", "fct_all_time_issues_trend", "week", _SUMMED,
        _of_repos("fct_all_time_issues_trend", _WEEK_OF.format("date"), "sum(num_opened) AS n", _sum("n"), _ISSUES),
    ),
    "closed": Metric(
        "Issues closed per week", "fct_all_time_issues_trend", "week", _SUMMED,
        _of_repos("fct_all_time_issues_trend", _WEEK_OF.format("date"), "sum(num_closed) AS n", _sum("n"), _ISSUES),
    ),
    "open": Metric(
        "Open issues", "fct_issue_backlog", "week", _SUMMED,
        _of_repos("fct_issue_backlog", "week", "max(open_at_end) AS n", _sum("n"), _ISSUES),
    ),
    "backlog": Metric(
        "Backlog index", "fct_issue_backlog", "week", "Closed and opened are summed over the repositories before dividing.",
        _of_repos(
            "fct_issue_backlog", "week", "max(closed_8w) AS closed, max(opened_8w) AS opened",
            _ratio("closed", "opened"), _ISSUES,
        ),
        ",.2f",
    ),
    "answered": Metric(
        "Share of issues answered", "fct_issue_response", "week",
        "Answered as a share of those opened in the week, all repositories.",
        _of_repos(
            "fct_issue_response", "week", "max(answered) AS answered, max(issues_opened) AS opened",
            _ratio("answered", "opened"), _ANSWERS,
        ),
        ".0%",
    ),
    "response": Metric(
        "Median hours to first response", "fct_issue_response", "week", _SLOWEST,
        _of_repos(
            "fct_issue_response", "week", "max(p50_hours) AS hours, max(issues_opened) AS opened",
            _worst("max(facts.hours)", "opened"), _ANSWERS,
        ),
        ",.1f",
    ),
    "resolution": Metric(
        "Median days to close an issue", "fct_issue_resolution", "week", _SLOWEST,
        _of_repos(
            "fct_issue_resolution", "week", "max(p50_days) AS days, max(issues_closed) AS closed",
            _worst("max(facts.days)", "closed"), _ISSUES,
        ),
        ",.1f",
    ),
    "pulls": Metric(
        "Pull requests opened per month", "fct_change_requests", "month", _SUMMED,
        _of_repos("fct_change_requests", "month", "max(opened) AS n", _sum("n"), _PULLS),
    ),
    "acceptance": Metric(
        "Pull requests accepted", "fct_change_requests", "month",
        "Merged and ended are summed over the repositories before dividing.",
        _of_repos(
            "fct_change_requests", "month", "max(merged) AS merged, max(merged + closed_unmerged) AS ended",
            _ratio("merged", "ended"), _PULLS,
        ),
        ".0%",
    ),
    "merge": Metric(
        "Median days to merge", "fct_change_requests", "month", _SLOWEST,
        _of_repos(
            "fct_change_requests", "month", "max(p50_days_to_merge) AS days, max(opened) AS opened",
            _worst("max(facts.days)", "opened"), _PULLS,
        ),
        ",.1f",
    ),
}  # fmt: skip

BIRTHS = f"""
SELECT members.project, members.kind, min(born.until) AS born
FROM gold.dim_projects AS members
JOIN (
    SELECT 'repo' AS kind, name, until FROM ({_CREATED}) AS created
    UNION ALL
    SELECT 'package' AS kind, name, until FROM ({_FIRST_RELEASED}) AS released
) AS born ON members.kind = born.kind AND members.name = born.name
WHERE members.project IN :projects
GROUP BY 1, 2
ORDER BY 1, 2
"""  # noqa: S608 - names of our own
"""When a project's first repository was created and its first package released."""
