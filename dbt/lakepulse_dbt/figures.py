"""The figures of a project that alerts, badges and the digest tell, each one number made from gold.

A figure is of all of a project's repositories or packages: if one of them is not known, nor is it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import duckdb
from pyiceberg.catalog import Catalog

from lakepulse.publications import Publication, read_table

_FRESHNESS = "fct_data_freshness"
_BREAKS = "fct_known_breaks"


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure per project.

    `sql` gives project, value, the value 28 days before, and the first and last date of what the two
    are made of (null for what there is not). It has `$as_of`, the publication's date, `members`, the
    project list, and what `_prepare` makes. Repositories and packages are summed unless `says` tells
    otherwise. `kind` is the member without which a project has no such figure; `sources` are the landing
    sources that a change is made of.
    """

    title: str
    says: str
    tables: tuple[str, ...]
    sql: str
    unit: str = ""
    kind: Literal["repo", "package"] | None = "repo"
    sources: tuple[str, ...] = ()


METRICS: dict[str, Metric] = {
    "stars": Metric(
        "stars",
        "Stars at the newest snapshot; null unless every repository has one.",
        ("fct_all_time_base_repo_stats",),
        """
        with stars as (
            select
                repo,
                max_by(stargazers_count, snapshot_date) as now,
                max(snapshot_date) as now_on,
                max_by(stargazers_count, snapshot_date) filter (where snapshot_date <= $as_of - 28) as before,
                max(snapshot_date) filter (where snapshot_date <= $as_of - 28) as before_on
            from fct_all_time_base_repo_stats
            group by repo
        )
        select project, whole_sum(now), whole_sum(before), min(before_on), max(now_on)
        from members
        left join stars on members.name = stars.repo
        where members.kind = 'repo'
        group by project
        """,
        sources=("github_repo",),
    ),
    "downloads_28d": Metric(
        "downloads in 28 days",
        "PyPI downloads of the last 28 dates that are known, without mirrors; null unless all 28 are there and the last is "
        "of the week before.",
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
                any_value(newest) as newest,
                case when count(*) filter (where date > newest - 28) = 28 and any_value(newest) >= $as_of - 7
                    then sum(downloads) filter (where date > newest - 28) end as now,
                case when count(*) filter (where date <= newest - 28) = 28
                    then sum(downloads) filter (where date <= newest - 28) end as before
            from days
            where date > newest - 56
            group by package
        )
        select project, whole_sum(now), whole_sum(before), min(newest) - 55, max(newest)
        from members
        left join totals on members.name = totals.package
        where members.kind = 'package'
        group by project
        """,
        kind="package",
        sources=("pypistats_overall",),
    ),
    "open_issues": Metric(
        "open issues",
        "Issues open at the end of the day; null unless every repository's issues are all known.",
        ("fct_all_time_issues_trend", _FRESHNESS),
        """
        with trend as (
            select
                repo,
                max(num_open) filter (where date = $as_of) as now,
                max(num_open) filter (where date = $as_of - 28) as before
            from fct_all_time_issues_trend
            group by repo
        )
        select
            project,
            -- The table begins with a repository's first issue.
            whole_sum(case when is_whole(issues_from) then coalesce(now, 0) end),
            whole_sum(case when is_whole(issues_from) then coalesce(before, 0) end),
            $as_of - 28,
            $as_of
        from repos
        left join trend using (repo)
        group by project
        """,
        sources=("github_issues",),
    ),
    "unanswered_issues": Metric(
        "unanswered issues",
        "Open issues without an answer by somebody else who is no bot; null unless every repository's issues and comments "
        "are all known.",
        ("fct_unanswered_issues", _FRESHNESS),
        """
        with unanswered as (
            select repo, count(*) as issues
            from fct_unanswered_issues
            group by repo
        )
        select
            project,
            whole_sum(case when is_whole(issues_from) and is_whole(comments_from) then coalesce(issues, 0) end),
            null,
            null,
            null
        from repos
        left join unanswered using (repo)
        group by project
        """,
    ),
    "response_hours": Metric(
        "first response",
        "Of the project's slowest repository: the median of its weekly medians over the last 12 whole weeks, in hours; null "
        "unless those weeks of every repository are known.",
        ("fct_issue_response", _FRESHNESS),
        """
        with calendar as (
            select cast(date_trunc('week', $as_of) as date) as this_week
        ),
        middles as (
            select
                repo,
                quantile_disc(p50_hours, 0.5) filter (where week >= this_week - 84) as now,
                quantile_disc(p50_hours, 0.5) filter (where week < this_week - 28 and week >= this_week - 112) as before
            from fct_issue_response
            cross join calendar
            where week < this_week
            group by repo
        )
        select
            project,
            case when bool_and(coalesce(issues_from <= this_week - 84 and comments_from <= this_week - 84, false))
                then max(now) end,
            case when bool_and(coalesce(issues_from <= this_week - 112 and comments_from <= this_week - 112, false))
                then max(before) end,
            any_value(this_week) - 112,
            any_value(this_week) - 1
        from repos
        cross join calendar
        left join middles using (repo)
        group by project
        """,
        " h",
        sources=("github_issues", "github_comments"),
    ),
    "backlog_index": Metric(
        "backlog index",
        "Issues closed / opened in the 8 weeks that end with the last whole week; null unless those weeks of every repository "
        "are known, or if none was opened.",
        ("fct_issue_backlog", _FRESHNESS),
        """
        with calendar as (
            select cast(date_trunc('week', $as_of) as date) as this_week
        ),
        weeks as (
            select
                repo,
                max(opened_8w) filter (where week = this_week - 7) as opened,
                max(closed_8w) filter (where week = this_week - 7) as closed,
                max(opened_8w) filter (where week = this_week - 35) as opened_before,
                max(closed_8w) filter (where week = this_week - 35) as closed_before
            from fct_issue_backlog
            cross join calendar
            group by repo
        ),
        known as (
            -- The table begins with a repository's first issue.
            select *, case when is_whole(issues_from) then 0 end as none
            from repos
            cross join calendar
            left join weeks using (repo)
        )
        select
            project,
            whole_sum(coalesce(closed, none)) / nullif(whole_sum(coalesce(opened, none)), 0),
            whole_sum(coalesce(closed_before, none)) / nullif(whole_sum(coalesce(opened_before, none)), 0),
            any_value(this_week) - 84,
            any_value(this_week) - 1
        from known
        group by project
        """,
        sources=("github_issues",),
    ),
    "absence_factor": Metric(
        "absence factor",
        "Contributor absence factor over 365 days, of the project's repository with the lowest; one without a commit in them "
        "has none. Null unless that year of every repository is known.",
        ("fct_contributor_absence_factor", _FRESHNESS),
        """
        with year as (
            select repo, factor, contributors
            from fct_contributor_absence_factor
            where window_days = 365
        )
        select
            project,
            -- In a publication by earlier code the table has no row of a repository without a commit.
            case when bool_and(contributors is not null or (year.repo is null and coalesce(is_whole(commits_from), false)))
                then min(factor) end,
            null,
            null,
            null
        from repos
        left join year on repos.repo = year.repo
        group by project
        """,
    ),
    "days_since_release": Metric(
        "last release",
        "Days since the newest final release that is not yanked; null unless the releases of every repository and package are "
        "known.",
        ("fct_releases", _FRESHNESS),
        """
        with newest as (
            select project, max(released_at) as released_at
            from fct_releases
            where not is_prerelease and not is_yanked
            group by project
        ),
        held as (
            select scope, case source when 'github_releases' then 'repo' else 'package' end as kind
            from fct_data_freshness
            where source in ('github_releases', 'pypi_releases') and last_fetched_at is not null
        )
        select
            members.project,
            case when count(*) = count(held.scope)
                then date_diff('day', cast(any_value(newest.released_at) as date), $as_of) end,
            null,
            null,
            null
        from members
        left join held on members.name = held.scope and members.kind = held.kind
        left join newest on members.project = newest.project
        group by members.project
        """,
        " days ago",
        kind=None,
    ),
}
"""Figures by name; the names are what rules, JSON files and badges use."""


@dataclass(frozen=True, slots=True)
class Break:
    """A known break in how a source counts."""

    day: date
    what_changed: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One project's figure; None where gold has none. `before` is the figure of 28 days earlier.

    `breaks` are the source's known breaks between the two. `applies` is False for a project that has
    none of what is counted, as one without packages has no downloads.
    """

    project: str
    metric: str
    value: float | None
    before: float | None
    breaks: tuple[Break, ...] = ()
    applies: bool = True

    @property
    def change(self) -> float | None:
        """Percent change against 28 days before; None if that is missing or 0."""
        if self.value is None or not self.before:
            return None
        return 100 * (self.value / self.before - 1)

    @property
    def text(self) -> str:
        """The value as people read it."""
        metric = METRICS[self.metric]
        if not self.applies:
            return "no packages" if metric.kind == "package" else "no repositories"
        return "unknown" if self.value is None else number(self.value) + metric.unit


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
    wanted = {table for metric in METRICS.values() for table in metric.tables} | {_BREAKS}
    with open_gold(catalog, publication, wanted) as connection:
        _prepare(connection, publication)
        members: dict[str, list[tuple[str, str]]] = {}
        for project, kind, name in connection.execute("select project, kind, name from members order by 1").fetchall():
            members.setdefault(project, []).append((kind, name))
        rows = {
            (project, name): values
            for name, metric in METRICS.items()
            if publication.snapshots.keys() >= set(metric.tables)
            for project, *values in connection.execute(metric.sql, _used(metric.sql, publication)).fetchall()
        }
        known = _breaks(connection) if _BREAKS in publication.snapshots else []
    unknown = [None] * 4
    return [
        _figure(project, name, rows.get((project, name), unknown), members[project], known)
        for project in members
        for name in METRICS
    ]


def _prepare(connection: duckdb.DuckDBPyConnection, publication: Publication) -> None:
    """What the metrics' SQL has beside the tables.

    `whole_sum`, a sum that is null unless every row has a value; and `repos`, the projects' repositories
    with the time from which on the commits, issues and comments of each are known: null if they were never
    had, and if all are, `is_whole`.
    """
    connection.execute("create macro whole_sum(value) as case when count(*) = count(value) then sum(value) end")
    connection.execute("create macro is_whole(known_from) as known_from = timestamp '-infinity'")
    if _FRESHNESS in publication.snapshots:
        connection.execute("""
            create view repos as
            with held as (
                select source, scope, coalesce(covered_from, timestamp '-infinity') as known_from
                from fct_data_freshness
                where last_fetched_at is not null
            )
            select
                members.project,
                members.name as repo,
                max(known_from) filter (where source = 'github_commits') as commits_from,
                max(known_from) filter (where source = 'github_issues') as issues_from,
                max(known_from) filter (where source = 'github_comments') as comments_from
            from members
            left join held on members.name = held.scope
            where members.kind = 'repo'
            group by members.project, members.name
        """)


def _breaks(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, date, Break]]:
    """Source, scope (empty: all), last day and break of each known one, the earliest first."""
    rows = connection.execute("""
        select source, coalesce(scope, ''), from_date, coalesce(to_date, from_date), what_changed, link
        from fct_known_breaks
        order by from_date, id
    """).fetchall()
    return [(source, scope, last, Break(first, what, link)) for source, scope, first, last, what, link in rows]


def _figure(
    project: str, metric: str, values: list[Any], members: list[tuple[str, str]], known: list[tuple[str, str, date, Break]]
) -> Figure:
    value, before, first, last = values
    kind = METRICS[metric].kind
    scopes = {"", *(name for member, name in members if kind in {None, member})}
    # A change on the first day of the span is in all that is compared.
    between = (
        found
        for source, scope, ends, found in known
        if first is not None
        and first < ends
        and found.day <= last
        and scope in scopes
        and any(name == source or name.startswith(f"{source}_") for name in METRICS[metric].sources)
    )
    figure = Figure(project, metric, value, before, applies=kind is None or any(member == kind for member, _ in members))
    return figure if figure.change is None else replace(figure, breaks=tuple(dict.fromkeys(between)))


def _used(sql: str, publication: Publication) -> dict[str, object]:
    return {"as_of": publication.as_of} if "$as_of" in sql else {}
