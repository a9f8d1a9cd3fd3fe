"""Overview: one row a project, and what changed this week."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard import card, news, session, text, tiles

# Each figure of a project is the sum over its repositories or packages, unless the card says otherwise.
PROJECTS = """
WITH members AS (
    SELECT project, kind, name
    FROM gold.dim_projects
    WHERE project IN :projects AND (kind = 'package' OR name IN :repos)
),
stars AS (
    SELECT members.project, sum(stats.stargazers_count) AS stars
    FROM members
    JOIN gold.fct_all_time_base_repo_stats AS stats ON members.kind = 'repo' AND members.name = stats.repo
    JOIN (
        SELECT repo, max(snapshot_date) AS snapshot_date FROM gold.fct_all_time_base_repo_stats GROUP BY repo
    ) AS newest ON stats.repo = newest.repo AND stats.snapshot_date = newest.snapshot_date
    GROUP BY members.project
),
package_days AS (
    SELECT package, date, downloads, max(date) OVER (PARTITION BY package) AS newest
    FROM gold.fct_percent_change_downloads_overall
    WHERE category = 'without_mirrors'
),
package_totals AS (
    SELECT
        package,
        CASE WHEN count(CASE WHEN date > newest - INTERVAL '28' DAY THEN 1 END) = 28
            THEN sum(CASE WHEN date > newest - INTERVAL '28' DAY THEN downloads END) END AS last_28,
        CASE WHEN count(CASE WHEN date <= newest - INTERVAL '28' DAY THEN 1 END) = 28
            THEN sum(CASE WHEN date <= newest - INTERVAL '28' DAY THEN downloads END) END AS previous_28
    FROM package_days
    WHERE date > newest - INTERVAL '56' DAY
    GROUP BY package
),
downloads AS (
    SELECT
        members.project,
        CASE WHEN count(*) = count(last_28) THEN sum(last_28) END AS last_28,
        CASE WHEN count(*) = count(previous_28) THEN sum(previous_28) END AS previous_28
    FROM members
    LEFT JOIN package_totals ON members.name = package_totals.package
    WHERE members.kind = 'package'
    GROUP BY members.project
),
open_issues AS (
    SELECT
        members.project,
        sum(CASE WHEN trend.date = :as_of THEN trend.num_open END) AS open_issues,
        sum(CASE WHEN trend.date = :four_weeks_ago THEN trend.num_open END) AS open_issues_before
    FROM members
    JOIN gold.fct_all_time_issues_trend AS trend ON members.kind = 'repo' AND members.name = trend.repo
    WHERE trend.date IN (:as_of, :four_weeks_ago)
    GROUP BY members.project
),
weekly_responses AS (
    SELECT
        members.project,
        response.p50_hours,
        row_number() OVER (PARTITION BY members.project ORDER BY response.p50_hours) AS place,
        count(*) OVER (PARTITION BY members.project) AS weeks
    FROM members
    JOIN gold.fct_issue_response AS response ON members.kind = 'repo' AND members.name = response.repo
    WHERE response.p50_hours IS NOT NULL AND response.week >= :twelve_weeks_ago AND response.week < :this_week
),
responses AS (
    SELECT project, p50_hours AS response_hours FROM weekly_responses WHERE 2 * place BETWEEN weeks AND weeks + 1
),
middle_response AS (
    SELECT project, min(response_hours) AS response_hours FROM responses GROUP BY project
),
absence AS (
    SELECT members.project, min(factor) AS absence_factor
    FROM members
    JOIN gold.fct_contributor_absence_factor AS absence ON members.kind = 'repo' AND members.name = absence.repo
    WHERE absence.window_days = 365
    GROUP BY members.project
),
ordered_releases AS (
    SELECT
        releases.project, releases.name, releases.scope, releases.released_at,
        row_number() OVER (
            PARTITION BY releases.project ORDER BY releases.released_at DESC, releases.source, releases.scope, releases.name
        ) AS place
    FROM gold.fct_releases AS releases
    WHERE NOT releases.is_prerelease AND NOT releases.is_yanked
)
SELECT
    projects.project,
    stars.stars,
    downloads.last_28 AS downloads_28d,
    CASE WHEN downloads.previous_28 > 0
        THEN 100 * (CAST(downloads.last_28 AS double) / downloads.previous_28 - 1) END AS downloads_change,
    open_issues.open_issues,
    open_issues.open_issues - open_issues.open_issues_before AS open_issues_change,
    middle_response.response_hours,
    absence.absence_factor,
    ordered_releases.name AS last_release,
    ordered_releases.scope AS released_by,
    ordered_releases.released_at
FROM (SELECT DISTINCT project FROM members) AS projects
LEFT JOIN stars ON projects.project = stars.project
LEFT JOIN downloads ON projects.project = downloads.project
LEFT JOIN open_issues ON projects.project = open_issues.project
LEFT JOIN middle_response ON projects.project = middle_response.project
LEFT JOIN absence ON projects.project = absence.project
LEFT JOIN ordered_releases ON projects.project = ordered_releases.project AND ordered_releases.place = 1
ORDER BY projects.project
"""
# The last half year of each figure by week, for the small lines.
LINES = """
WITH members AS (
    SELECT project, kind, name
    FROM gold.dim_projects
    WHERE project IN :projects AND (kind = 'package' OR name IN :repos)
),
points AS (
    SELECT
        'stars' AS figure, repo AS name, CAST(date_trunc('week', snapshot_date) AS date) AS week,
        max(stargazers_count) AS value
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY 2, 3
    UNION ALL
    SELECT 'downloads', package, CAST(date_trunc('week', date) AS date), downloads_7d
    FROM gold.fct_percent_change_downloads_overall
    WHERE category = 'without_mirrors' AND downloads_7d IS NOT NULL
        AND date = CAST(date_trunc('week', date) AS date) + INTERVAL '6' DAY
    UNION ALL
    SELECT 'issues', repo, week, open_at_end FROM gold.fct_issue_backlog
    UNION ALL
    SELECT 'response', repo, week, p50_hours FROM gold.fct_issue_response WHERE p50_hours IS NOT NULL
    UNION ALL
    SELECT 'commits', repo, CAST(date_trunc('week', commit_author_date) AS date), sum(num_commits)
    FROM gold.fct_all_time_author_commits_trend
    GROUP BY 2, 3
)
SELECT
    members.project,
    points.figure,
    points.week,
    CASE WHEN points.figure = 'response' THEN avg(points.value) ELSE sum(CAST(points.value AS double)) END AS value
FROM members
JOIN points ON members.name = points.name
WHERE points.week >= :half_year_ago AND points.week < :this_week
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
"""
REPOS = """
SELECT
    stats.repo, stats.snapshot_date, stats.stargazers_count, stats.forks_count, stats.subscribers_count,
    stats.open_issues_count, stats.watchers_count, stats.network_count, stats.size_kb,
    stats.created_at, stats.pushed_at, stats.updated_at
FROM gold.fct_all_time_base_repo_stats AS stats
JOIN (
    SELECT repo, max(snapshot_date) AS snapshot_date
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY repo
) AS newest ON newest.repo = stats.repo AND newest.snapshot_date = stats.snapshot_date
WHERE stats.repo IN :repos
ORDER BY stats.stargazers_count DESC, stats.repo
"""

MOST_ROWS = 12  # more projects than this are read in the table alone

page = session.current()
as_of = page.publication.as_of
this_week = as_of - timedelta(days=as_of.weekday())
dates = {
    "four_weeks_ago": as_of - timedelta(days=28),
    "this_week": this_week,
    "twelve_weeks_ago": this_week - timedelta(weeks=12),
    "half_year_ago": this_week - timedelta(weeks=26),
}

st.title("Overview", anchor=False)


def projects(frame: pd.DataFrame) -> None:
    lines = page.frame(LINES, {name: dates[name] for name in ("this_week", "half_year_ago")})
    series: dict[Hashable, list[float]] = {
        key: list(part) for key, part in lines.groupby(["project", "figure"], sort=False)["value"]
    }
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    tiles.show([(str(row["project"]), figures(row, series)) for row in rows[:MOST_ROWS]])
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(rows)} projects; the table has all.")
        _table(frame)
    st.caption("Small lines: the last 26 whole weeks. Each figure leads to its page.")


def figures(row: Mapping[Hashable, Any], series: Mapping[Hashable, Sequence[float]]) -> list[tiles.Figure]:
    project = str(row["project"])
    more_issues, more_downloads = row["open_issues_change"], row["downloads_change"]
    released = row["released_at"]

    def link(path: str) -> str:
        asked = {"as_of": page.publication.as_of.isoformat()} if not page.is_newest else {}
        return f"{path}?{urlencode({'project': project, **asked})}"

    return [
        tiles.Figure("Stars", text.short(row["stars"]), series.get((project, "stars"), ())),
        tiles.Figure(
            "Downloads",
            text.short(row["downloads_28d"]),
            series.get((project, "downloads"), ()),
            change=text.percent(more_downloads),
            tone=_tone(more_downloads),
            about="28 days, without mirrors, and percent change against the 28 before. A dash: a day is missing.",
            link=link("pypi"),
        ),
        tiles.Figure(
            "Open issues",
            text.number(row["open_issues"]),
            series.get((project, "issues"), ()),
            change=None if more_issues is None else f"{more_issues:+,.0f}",
            tone=_tone(None if more_issues is None else -more_issues),
            about="Change over 28 days.",
            link=link("issues"),
        ),
        tiles.Figure(
            "First response",
            text.duration(row["response_hours"]),
            series.get((project, "response"), ()),
            about="The middle one of the weekly medians of the last 12 whole weeks.",
            link=link("issues"),
        ),
        tiles.Figure(
            "Absence factor",
            text.number(row["absence_factor"]),
            series.get((project, "commits"), ()),
            about="Fewest people behind half of a year's commits, in the weakest repository. Line: commits a week.",
            link=link("commits"),
        ),
        tiles.Figure(
            "Last release",
            text.version(row["last_release"]) if row["last_release"] else "–",
            change=text.age(released, page.now) if released else None,
            about=f"{row['last_release']} of {row['released_by']}" if released else "",
            link=link("pypi"),
        ),
    ]


def _tone(gain: float | None) -> str:
    return "none" if not gain else "good" if gain > 0 else "bad"


def alerts() -> None:
    """What broke a rule when the shown publication was made."""
    run = next((run for run in session.runs(page.settings) if run.run_id == page.publication.run_id), None)
    found = [
        alert
        for step in json.loads((run and run.steps) or "[]")
        for alert in (step.get("details") or {}).get("alerts", [])
        if alert["project"] in page.selection.projects
    ]
    st.header("Alerts", anchor=False)
    if found:
        st.warning("\n".join(f"- {text.literal(alert['message'])}" for alert in found), icon=":material/notifications_active:")
    elif run is None:
        st.info("The run of this publication is not recorded, so its alerts are not known.", icon=":material/inbox:")
    else:
        st.success("No rule is broken.", icon=":material/check_circle:")
    st.caption("Rules stand in dbt/alerts.yaml and are checked when a run is published.")


def _table(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "project": st.column_config.TextColumn("Project", pinned=True),
            "stars": st.column_config.NumberColumn("Stars", format="localized"),
            "downloads_28d": st.column_config.NumberColumn("Downloads, 28 days", format="localized"),
            "downloads_change": st.column_config.NumberColumn("Change (%)", format="%+.1f"),
            "open_issues": st.column_config.NumberColumn("Open issues", format="localized"),
            "open_issues_change": st.column_config.NumberColumn("in 28 days", format="%+d"),
            "response_hours": st.column_config.NumberColumn("First response (hours)", format="%.1f"),
            "absence_factor": "Absence factor",
            "last_release": "Last release",
            "released_by": "of",
            "released_at": st.column_config.DatetimeColumn("Released (UTC)", format="YYYY-MM-DD"),
        },
        alt="Every project with its figures",
    )


def repos(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": st.column_config.TextColumn("Repository", pinned=True),
            "snapshot_date": st.column_config.DateColumn("Asked on", format="YYYY-MM-DD"),
            "stargazers_count": st.column_config.NumberColumn("Stars", format="localized"),
            "forks_count": st.column_config.NumberColumn("Forks", format="localized"),
            "subscribers_count": st.column_config.NumberColumn("Subscribers", format="localized"),
            "open_issues_count": st.column_config.NumberColumn("Open issues and PRs", format="localized"),
            "watchers_count": st.column_config.NumberColumn("Watchers", format="localized"),
            "network_count": st.column_config.NumberColumn("Network", format="localized"),
            "size_kb": st.column_config.NumberColumn("Size (kB)", format="localized"),
            "created_at": st.column_config.DatetimeColumn("Created (UTC)", format="YYYY-MM-DD"),
            "pushed_at": st.column_config.DatetimeColumn("Pushed (UTC)", format="YYYY-MM-DD"),
            "updated_at": st.column_config.DatetimeColumn("Updated (UTC)", format="YYYY-MM-DD"),
        },
        alt="Figures of each repository as GitHub gave them last",
    )


overview_dates = {name: dates[name] for name in ("four_weeks_ago", "this_week", "twelve_weeks_ago")}
card.figure(page, "Projects", "overview", PROJECTS, projects, extra=overview_dates)
news.show(page)
alerts()
card.figure(page, "Repositories", "fct_all_time_base_repo_stats", REPOS, repos, keys=("repo",))
