"""The figures of a project that alerts, badges and the digest tell, each one number made from gold."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
from pyiceberg.catalog import Catalog

from lakepulse_dbt.publications import Publication, read_table


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure per project. `sql` gives project, value and the value 28 days before, or null for it.

    `$as_of` is the publication's date; `members` are the project's repos and packages. Repositories
    and packages are summed unless `says` tells otherwise.
    """

    title: str
    says: str
    tables: tuple[str, ...]
    sql: str
    unit: str = ""


METRICS: dict[str, Metric] = {
    "stars": Metric(
        "stars",
        "Stars at the newest snapshot.",
        ("fct_all_time_base_repo_stats",),
        """
        select project, sum(now), case when count(*) = count(before) then sum(before) end
        from (
            select
                repo,
                max_by(stargazers_count, snapshot_date) as now,
                max_by(stargazers_count, snapshot_date) filter (where snapshot_date <= $as_of - 28) as before
            from fct_all_time_base_repo_stats
            group by repo
        ) as stats
        join members on members.kind = 'repo' and members.name = stats.repo
        group by project
        """,
    ),
    "downloads_28d": Metric(
        "downloads in 28 days",
        "PyPI downloads of the last 28 dates that are known, without mirrors; null unless all 28 are there.",
        ("fct_percent_change_downloads_overall",),
        """
        with days as (
            select package, date, downloads, max(date) over (partition by package) as newest
            from fct_percent_change_downloads_overall
            where category = 'without_mirrors'
        ),
        totals as (
            select
                package,
                case when count(*) filter (where date > newest - 28) = 28
                    then sum(downloads) filter (where date > newest - 28) end as now,
                case when count(*) filter (where date <= newest - 28) = 28
                    then sum(downloads) filter (where date <= newest - 28) end as before
            from days
            where date > newest - 56
            group by package
        )
        select
            project,
            case when count(*) = count(now) then sum(now) end,
            case when count(*) = count(before) then sum(before) end
        from members
        left join totals on members.name = totals.package
        where members.kind = 'package'
        group by project
        """,
    ),
    "open_issues": Metric(
        "open issues",
        "Issues open at the end of the day.",
        ("fct_all_time_issues_trend",),
        """
        select project, sum(num_open) filter (where date = $as_of), sum(num_open) filter (where date = $as_of - 28)
        from fct_all_time_issues_trend as trend
        join members on members.kind = 'repo' and members.name = trend.repo
        group by project
        """,
    ),
    "unanswered_issues": Metric(
        "unanswered issues",
        "Open issues without an answer by somebody else who is no bot.",
        ("fct_unanswered_issues",),
        """
        select project, count(number), null
        from members
        left join fct_unanswered_issues as issues on members.name = issues.repo
        where members.kind = 'repo'
        group by project
        """,
    ),
    "response_hours": Metric(
        "first response",
        "Median of the weekly medians of the project's repositories over the last 12 whole weeks, in hours.",
        ("fct_issue_response",),
        """
        select
            project,
            quantile_disc(p50_hours, 0.5) filter (where week >= this_week - 84),
            quantile_disc(p50_hours, 0.5) filter (where week < this_week - 28 and week >= this_week - 112)
        from fct_issue_response as response
        join members on members.kind = 'repo' and members.name = response.repo
        cross join (select cast(date_trunc('week', $as_of) as date) as this_week) as calendar
        where week < this_week
        group by project
        """,
        " h",
    ),
    "backlog_index": Metric(
        "backlog index",
        "Issues closed / opened in the 8 weeks that end with the last whole week.",
        ("fct_issue_backlog",),
        """
        select
            project,
            sum(closed_8w) filter (where week = this_week - 7) / nullif(sum(opened_8w) filter (where week = this_week - 7), 0),
            sum(closed_8w) filter (where week = this_week - 35) / nullif(sum(opened_8w) filter (where week = this_week - 35), 0)
        from fct_issue_backlog as backlog
        join members on members.kind = 'repo' and members.name = backlog.repo
        cross join (select cast(date_trunc('week', $as_of) as date) as this_week) as calendar
        group by project
        """,
    ),
    "absence_factor": Metric(
        "absence factor",
        "Contributor absence factor over 365 days, of the project's repository with the lowest.",
        ("fct_contributor_absence_factor",),
        """
        select project, min(factor), null
        from fct_contributor_absence_factor as absence
        join members on members.kind = 'repo' and members.name = absence.repo
        where window_days = 365
        group by project
        """,
    ),
    "days_since_release": Metric(
        "last release",
        "Days since the newest final release that is not yanked.",
        ("fct_releases",),
        """
        select project, date_diff('day', cast(max(released_at) as date), $as_of), null
        from fct_releases
        where not is_prerelease and not is_yanked
        group by project
        """,
        " days ago",
    ),
}
"""Figures by name; the names are what rules, JSON files and badges use."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One project's figure; None where gold has none. `before` is the figure of 28 days earlier."""

    project: str
    metric: str
    value: float | None
    before: float | None

    @property
    def change(self) -> float | None:
        """Percent change against 28 days before; None if that is missing or 0."""
        if self.value is None or not self.before:
            return None
        return 100 * (self.value / self.before - 1)

    @property
    def text(self) -> str:
        """The value as people read it."""
        return "unknown" if self.value is None else number(self.value) + METRICS[self.metric].unit


def number(value: float) -> str:
    """At most three figures behind the point for a small one, none for a large one."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.3g}"


def percent(value: float) -> str:
    """A percentage with its sign, to one tenth."""
    return f"{value:+,.1f} %"


def open_gold(catalog: Catalog, publication: Publication, tables: set[str]) -> duckdb.DuckDBPyConnection:
    """The publication's tables of these names in a DuckDB of their own, and `members`, its projects."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for name in sorted(tables & publication.snapshots.keys()):
        connection.register(name, read_table(catalog, publication, name))
    connection.register("members", read_table(catalog, publication, "dim_projects"))
    return connection


def figures(catalog: Catalog, publication: Publication) -> list[Figure]:
    """Every figure of every project, by project and in the order of `METRICS`.

    A publication by other code, which lacks a figure's table, has no value for it.
    """
    if "dim_projects" not in publication.snapshots:
        return []
    wanted = {table for metric in METRICS.values() for table in metric.tables}
    with open_gold(catalog, publication, wanted) as connection:
        projects = [row[0] for row in connection.execute("select distinct project from members order by 1").fetchall()]
        found = {
            (project, name): Figure(project, name, value, before)
            for name, metric in METRICS.items()
            if publication.snapshots.keys() >= set(metric.tables)
            for project, value, before in connection.execute(metric.sql, _used(metric.sql, publication)).fetchall()
        }
    return [found.get((project, name), Figure(project, name, None, None)) for project in projects for name in METRICS]


def _used(sql: str, publication: Publication) -> dict[str, object]:
    return {"as_of": publication.as_of} if "$as_of" in sql else {}
