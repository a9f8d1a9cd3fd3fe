"""Overview: one row a project, and what changed this week."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, news, session, text, tiles
from dashboard.publications import was_newest
from dashboard.totals import held, total

# A figure of a project is of all its repositories or packages that are chosen: if one of them is not known, nor is it.
PROJECTS = f"""
WITH members AS (
    SELECT project, kind, name
    FROM gold.dim_projects
    WHERE project IN :projects AND (kind = 'package' OR name IN :repos)
),
issues_held AS ({held("github_issues")}),
answers_held AS ({held("github_issues", "github_comments")}),
commits_held AS ({held("github_commits")}),
snapshots AS (
    SELECT repo, snapshot_date, stargazers_count, max(snapshot_date) OVER (PARTITION BY repo) AS newest
    FROM gold.fct_all_time_base_repo_stats
),
repo_stars AS (
    SELECT
        repo,
        max_by(stargazers_count, snapshot_date) AS now,
        -- The last of the week that lies four weeks back: days on which nobody asked are missing.
        max_by(
            CASE WHEN snapshot_date BETWEEN newest - INTERVAL '34' DAY AND newest - INTERVAL '28' DAY THEN stargazers_count END,
            CASE WHEN snapshot_date BETWEEN newest - INTERVAL '34' DAY AND newest - INTERVAL '28' DAY THEN snapshot_date END
        ) AS before
    FROM snapshots
    GROUP BY repo
),
stars AS (
    SELECT members.project, {total("repo_stars.now")} AS now, {total("repo_stars.before")} AS before
    FROM members
    LEFT JOIN repo_stars ON members.name = repo_stars.repo
    WHERE members.kind = 'repo'
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
        max(newest) AS newest,
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
        max(package_totals.newest) AS newest,
        {total("last_28")} AS last_28,
        {total("previous_28")} AS previous_28
    FROM members
    LEFT JOIN package_totals ON members.name = package_totals.package
    WHERE members.kind = 'package'
    GROUP BY members.project
),
repo_issues AS (
    SELECT
        repo,
        max(CASE WHEN date = :as_of THEN num_open END) AS now,
        max(CASE WHEN date = :four_weeks_ago THEN num_open END) AS before
    FROM gold.fct_all_time_issues_trend
    WHERE date IN (:as_of, :four_weeks_ago)
    GROUP BY repo
),
-- The table begins with a repository's first issue: before it, none was open.
open_issues AS (
    SELECT
        members.project,
        {total("coalesce(repo_issues.now, CASE WHEN issues_held.scope IS NOT NULL THEN 0 END)")} AS now,
        {total("coalesce(repo_issues.before, CASE WHEN issues_held.scope IS NOT NULL THEN 0 END)")} AS before
    FROM members
    LEFT JOIN repo_issues ON members.name = repo_issues.repo
    LEFT JOIN issues_held ON members.name = issues_held.scope
    WHERE members.kind = 'repo'
    GROUP BY members.project
),
answer_weeks AS (
    SELECT repo, min(week) AS first_week FROM gold.fct_issue_response GROUP BY repo
),
answered_projects AS (
    SELECT members.project
    FROM members
    LEFT JOIN answer_weeks ON members.name = answer_weeks.repo AND answer_weeks.first_week <= :twelve_weeks_ago
    LEFT JOIN answers_held ON members.name = answers_held.scope
    WHERE members.kind = 'repo'
    GROUP BY members.project
    HAVING count(*) = count(coalesce(answer_weeks.repo, answers_held.scope))
),
weekly_responses AS (
    SELECT
        members.project,
        response.repo,
        response.p50_hours,
        row_number() OVER (PARTITION BY response.repo ORDER BY response.p50_hours NULLS LAST) AS place,
        count(response.p50_hours) OVER (PARTITION BY response.repo) AS weeks,
        sum(response.answered) OVER (PARTITION BY response.repo) AS answered,
        sum(response.issues_opened) OVER (PARTITION BY response.repo) AS opened
    FROM members
    JOIN answered_projects ON members.project = answered_projects.project
    JOIN gold.fct_issue_response AS response ON members.kind = 'repo' AND members.name = response.repo
    WHERE response.week >= :twelve_weeks_ago AND response.week < :this_week
),
middle_response AS (
    SELECT repo, min(project) AS project, min(p50_hours) AS hours, min(answered) AS answered, min(opened) AS opened
    FROM weekly_responses
    WHERE 2 * place BETWEEN weeks AND weeks + 1 AND weeks > 0
    GROUP BY repo
),
slowest_response AS (
    SELECT
        project, repo, hours, answered, opened,
        row_number() OVER (PARTITION BY project ORDER BY hours DESC, repo) AS place
    FROM middle_response
),
-- A repository without a commit in the year has no factor of its own; one whose year is cut leaves the project without.
absence AS (
    SELECT
        members.project,
        CASE WHEN count(*) = count(CASE
            WHEN year.repo IS NOT NULL THEN year.contributors
            WHEN commits_held.scope IS NOT NULL THEN 0
        END) THEN min(year.factor) END AS factor
    FROM members
    LEFT JOIN gold.fct_contributor_absence_factor AS year ON members.name = year.repo AND year.window_days = 365
    LEFT JOIN commits_held ON members.name = commits_held.scope
    WHERE members.kind = 'repo'
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
        AND (releases.source = 'pypi' OR releases.scope IN :repos)
)
SELECT
    projects.project,
    stars.now AS stars,
    stars.now - stars.before AS stars_change,
    downloads.last_28 AS downloads_28d,
    CASE WHEN downloads.previous_28 > 0
        THEN 100 * (CAST(downloads.last_28 AS double) / downloads.previous_28 - 1) END AS downloads_change,
    downloads.newest AS downloads_until,
    open_issues.now AS open_issues,
    open_issues.now - open_issues.before AS open_issues_change,
    slowest_response.hours AS response_hours,
    slowest_response.repo AS response_of,
    slowest_response.answered AS response_answered,
    slowest_response.opened AS response_opened,
    absence.factor AS absence_factor,
    ordered_releases.name AS last_release,
    ordered_releases.scope AS released_by,
    ordered_releases.released_at
FROM (SELECT DISTINCT project FROM members) AS projects
LEFT JOIN stars ON projects.project = stars.project
LEFT JOIN downloads ON projects.project = downloads.project
LEFT JOIN open_issues ON projects.project = open_issues.project
LEFT JOIN slowest_response ON projects.project = slowest_response.project AND slowest_response.place = 1
LEFT JOIN absence ON projects.project = absence.project
LEFT JOIN ordered_releases ON projects.project = ordered_releases.project AND ordered_releases.place = 1
ORDER BY projects.project
"""  # noqa: S608 - every part is written here and in totals.py
# A small line's points, evenly apart: the last half year of each figure by week, and the absence factor's last year by
# month. A point is null unless each member has one.
LINES = f"""
WITH members AS (
    SELECT project, kind, name
    FROM gold.dim_projects
    WHERE project IN :projects AND (kind = 'package' OR name IN :repos)
),
points AS (
    SELECT
        'stars' AS figure, repo AS name, CAST(date_trunc('week', snapshot_date) AS date) AS date,
        max_by(stargazers_count, snapshot_date) AS value
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY 2, 3
    UNION ALL
    SELECT 'downloads', package, CAST(date_trunc('week', date) AS date), downloads_7d
    FROM gold.fct_percent_change_downloads_overall
    WHERE category = 'without_mirrors' AND date = CAST(date_trunc('week', date) AS date) + INTERVAL '6' DAY
    UNION ALL
    SELECT 'issues', repo, week, open_at_end FROM gold.fct_issue_backlog
    UNION ALL
    SELECT 'response', repo, week, p50_hours FROM gold.fct_issue_response
    UNION ALL
    SELECT 'absence', repo, month, factor FROM gold.fct_absence_factor_trend
),
figures AS (
    SELECT 'stars' AS figure, 'repo' AS kind, 'week' AS step
    UNION ALL SELECT 'downloads', 'package', 'week'
    UNION ALL SELECT 'issues', 'repo', 'week'
    UNION ALL SELECT 'response', 'repo', 'week'
    UNION ALL SELECT 'absence', 'repo', 'month'
),
dates AS (
    SELECT 'week' AS step, CAST(unnest(generate_series(:half_year_ago, :this_week, INTERVAL '7' DAY)) AS date) AS date
    UNION ALL
    SELECT 'month', CAST(unnest(generate_series(:year_ago, :this_month, INTERVAL '1' MONTH)) AS date)
)
SELECT
    members.project,
    figures.figure,
    dates.date,
    CASE figures.figure
        WHEN 'response' THEN avg(points.value)
        WHEN 'absence' THEN CASE WHEN count(*) = count(points.value) THEN min(points.value) END
        ELSE {total("CAST(points.value AS double)")}
    END AS value
FROM members
JOIN figures ON members.kind = figures.kind
JOIN dates ON figures.step = dates.step
LEFT JOIN points ON members.name = points.name AND figures.figure = points.figure AND dates.date = points.date
-- A week that runs has no sum yet; a number of stars it has.
WHERE figures.step = 'month' OR dates.date < :this_week OR figures.figure = 'stars'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
"""  # noqa: S608 - every part is written here and in totals.py
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
INTEREST = """
SELECT repo, snapshot_date AS date, stargazers_count AS stars, forks_count AS forks, subscribers_count AS subscribers
FROM gold.fct_all_time_base_repo_stats
WHERE repo IN :repos AND snapshot_date BETWEEN :first AND :last
ORDER BY repo, date
"""
INTEREST_DRAWN = """
SELECT
    repo,
    CAST(date_trunc(:grain, snapshot_date) AS date) AS date,
    max_by(stargazers_count, snapshot_date) AS stars,
    max_by(forks_count, snapshot_date) AS forks,
    max_by(subscribers_count, snapshot_date) AS subscribers
FROM gold.fct_all_time_base_repo_stats
WHERE repo IN :repos AND snapshot_date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
"""
RELEASES = """
SELECT project, source, scope, name, released_at, is_prerelease, is_yanked, days_since_previous
FROM gold.fct_releases
WHERE project IN :projects AND (source = 'pypi' OR scope IN :repos) AND CAST(released_at AS date) BETWEEN :first AND :last
ORDER BY released_at DESC, source, scope, name
"""

DAYS_BEHIND = 3  # pypistats has a day one or two days after it; more than this is told
MOST_ROWS = 12  # more projects than this are read in the table alone
CHANGES = {"downloads_change": "pypistats_overall", "open_issues_change": "github_issues"}
# The page that tells more of an alert's metric.
PAGE_OF = {"downloads_28d": "pypi", "absence_factor": "commits", "stars": "", "days_since_release": ""}
NO_SNAPSHOT = (
    "This publication has no snapshot of these repositories: GitHub tells only how they are now, so a run for an earlier day "
    "takes none."
)

page = session.current()
as_of = page.publication.as_of
this_week = as_of - timedelta(days=as_of.weekday())
this_month = as_of.replace(day=1)
dates = {
    "four_weeks_ago": as_of - timedelta(days=28),
    "this_week": this_week,
    "twelve_weeks_ago": this_week - timedelta(weeks=12),
}
line_dates = {
    "this_week": this_week,
    "half_year_ago": this_week - timedelta(weeks=26),
    "this_month": this_month,
    "year_ago": this_month.replace(year=this_month.year - 1),
}
grain = page.selection.grain
every_repo = tuple(name for _, kind, name in page.members if kind == "repo")

st.title("Overview", anchor=False)
st.caption("The period on the left applies to stars and forks and to the releases; each other figure names its own time.")


def projects(frame: pd.DataFrame) -> None:
    lines = page.frame(LINES, line_dates)
    series: dict[Hashable, list[float]] = {
        key: list(part) for key, part in lines.groupby(["project", "figure"], sort=False)["value"]
    }
    # As far back as a change reaches.
    newest = frame["downloads_until"].dropna()
    days = [day.date() - timedelta(days=54) for day in newest] + [as_of - timedelta(days=27)]
    found = card.breaks(page, list(CHANGES.values()), page.selection.scopes, (min(days), as_of))
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    tiles.show([(str(row["project"]), figures(row, series, found)) for row in rows[:MOST_ROWS]])
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(rows)} projects; the table has all.")
        _table(frame)
    charts.tell(
        "Small lines: the last 26 whole weeks; of the absence factor, the last year by month. A gap is a time that is not "
        "known. Each figure leads to its page.",
        card.explained(found),
    )


def figures(row: Mapping[Hashable, Any], series: Mapping[Hashable, Sequence[float]], found: pd.DataFrame) -> list[tiles.Figure]:
    project = str(row["project"])
    all_repos = filters.names(page.members, "repo", [project])
    repos = [name for name in all_repos if name in page.selection.repos]
    packages = filters.names(page.members, "package", [project])
    more_issues, more_downloads, released = row["open_issues_change"], row["downloads_change"], row["released_at"]
    more_stars, slowest = row["stars_change"], row["response_of"]
    # The first is shown without being asked for: Streamlit takes it out of an address, and the heading's name with it.
    asked = {"answers_of": slowest} if slowest and slowest != repos[0] else {}
    of_slowest = f", {slowest.partition('/')[2]}" if slowest and len(repos) > 1 else ""

    unchosen = {"repositories"} if all_repos and not repos else set()

    def missing(value: object, members: Sequence[str], kind: str, why: str) -> str:
        return "" if value is not None else why if members else "none chosen" if kind in unchosen else f"no {kind}"

    def crossed(change: str, scopes: Sequence[str], first: Any, last: Any) -> str:
        """The letters of the known breaks between two days, as words to go on with."""
        marks = card.touching(found, [CHANGES[change]], scopes, first, last)["mark"]
        return f", across {'break' if len(marks) == 1 else 'breaks'} {' '.join(marks)}" if len(marks) else ""

    until = row["downloads_until"]
    is_behind = until is not None and (as_of - pd.Timestamp(until).date()).days > DAYS_BEHIND
    span = f"28 days to {until:%Y-%m-%d}" if is_behind else "28 days"
    return [
        tiles.Figure(
            "Stars",
            text.short(row["stars"]),
            series.get((project, "stars"), ()),
            note=missing(row["stars"], repos, "repositories", "not every repository has a snapshot")
            or ("no snapshot of 28 days before" if more_stars is None else f"{more_stars:+,.0f} in 28 days"),
            tone=_tone(more_stars),
            link=page.link("", project, anchor="stars-and-forks"),
        ),
        tiles.Figure(
            "Downloads",
            text.short(row["downloads_28d"]),
            series.get((project, "downloads"), ()),
            note=missing(row["downloads_28d"], packages, "packages", "of 28 days, one is missing") or span
            if more_downloads is None
            else f"{span}, {text.percent(more_downloads)}"
            + crossed("downloads_change", packages, until - timedelta(days=54), until),
            tone=_tone(more_downloads),
            link=page.link("pypi", project, anchor="downloads"),
        ),
        tiles.Figure(
            "Open issues",
            text.number(row["open_issues"]),
            series.get((project, "issues"), ()),
            note=missing(row["open_issues"], repos, "repositories", "not every history is whole")
            if more_issues is None
            else f"{more_issues:+,.0f} in 28 days" + crossed("open_issues_change", repos, as_of - timedelta(days=27), as_of),
            tone=_tone(None if more_issues is None else -more_issues),
            link=page.link("issues", project, anchor="open-issues"),
        ),
        tiles.Figure(
            "First response",
            text.duration(row["response_hours"]),
            series.get((project, "response"), ()),
            note=missing(row["response_hours"], repos, "repositories", "no answer, or not every history is whole")
            or f"median, 12 weeks{of_slowest}: {row['response_answered']:,.0f} of {row['response_opened']:,.0f} answered",
            link=page.link("issues", project, anchor="time-to-first-response", **asked),
        ),
        tiles.Figure(
            "Absence factor",
            text.number(row["absence_factor"]),
            series.get((project, "absence"), ()),
            note=missing(row["absence_factor"], repos, "repositories", "no commit, or not every history is whole")
            or f"{'person' if row['absence_factor'] == 1 else 'people'} behind half of a year",
            link=page.link("commits", project, anchor="absence-factor-over-time"),
        ),
        tiles.Figure(
            "Last release",
            text.version(row["last_release"]) if row["last_release"] else "–",
            note=f"{text.count((as_of - released.date()).days, 'day')} old" if released else "none yet",
            link=page.link("", project, anchor="releases"),
        ),
    ]


def _tone(gain: float | None) -> str:
    return "none" if not gain else "good" if gain > 0 else "bad"


def alerts() -> None:
    """What broke a rule when the shown publication was made, and what could not be checked."""
    run = next((run for run in session.runs(page.settings) if run.run_id == page.publication.run_id), None)
    details = [step.get("details") or {} for step in json.loads((run and run.steps) or "[]")]
    broken, unchecked = (_about(details, name) for name in ("alerts", "unchecked"))
    failed = next((step["alerts_error"] for step in details if step.get("alerts_error")), None)
    st.header("Alerts", anchor=False)
    if broken:
        st.warning("\n".join(broken), icon=":material/notifications_active:")
    if unchecked:
        st.info("\n".join(unchecked), icon=":material/help:")
    if run is None:
        st.info("The run of this publication is not recorded, so its alerts are not known.", icon=":material/inbox:")
    elif failed:
        st.warning(f"The rules were not checked. {text.literal(failed)}", icon=":material/help:")
    elif not was_newest(page.publication, session.publications(page.settings)):
        st.info(
            "The rules were not checked: a newer publication was there when this one was made, and only the newest is checked.",
            icon=":material/help:",
        )
    elif not broken:
        st.success("No rule that was checked is broken." if unchecked else "No rule is broken.", icon=":material/check_circle:")
    st.caption("Rules stand in dbt/alerts.yaml and are checked when a run is published.")


def _about(details: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """The sentences about the chosen projects, as a list in Markdown, each with the page that tells more."""
    return [
        f"- {text.literal(entry['message'])} [More]({page.link(PAGE_OF.get(entry['metric'], 'issues'), entry['project'])})"
        for step in details
        for entry in step.get(name, [])
        if entry["project"] in page.selection.projects
    ]


def _table(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "project": st.column_config.TextColumn("Project", pinned=True),
            "stars": st.column_config.NumberColumn("Stars", format="localized"),
            "stars_change": st.column_config.NumberColumn("in 28 days", format="%+d"),
            "downloads_28d": st.column_config.NumberColumn("Downloads, 28 days", format="localized"),
            "downloads_change": st.column_config.NumberColumn("Change (%)", format="%+.1f"),
            "open_issues": st.column_config.NumberColumn("Open issues", format="localized"),
            "open_issues_change": st.column_config.NumberColumn("in 28 days", format="%+d"),
            "response_hours": st.column_config.NumberColumn("First response (hours)", format="%.1f"),
            "response_of": "slowest",
            "response_answered": st.column_config.NumberColumn("answered", format="localized"),
            "response_opened": st.column_config.NumberColumn("of issues", format="localized"),
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


def interest(frame: pd.DataFrame) -> None:
    kinds = ["stars", "forks", "subscribers"]
    what: str = filters.of_page(st.radio, "figure", "Figure", kinds, key="interest", horizontal=True)
    if frame["date"].nunique() == 1:
        st.info(
            f"There is one snapshot so far, of the {grain} of {frame['date'].iloc[0]:%Y-%m-%d}, and a line needs two: runs on "
            "other days draw it. The table above has its figures.",
            icon=":material/inbox:",
        )
        return
    kept, left = charts.top_series(frame, "repo", what)
    # Snapshots may begin late: a break before them is not in the picture.
    found = card.breaks(page, ["github_repo"], page.selection.repos, (frame["date"].min().date(), page.selection.last))
    charts.show(
        charts.lines(
            kept, "date", "repo", what, what.capitalize(), grain=grain, everything=every_repo, breaks=found, zero=False,
            over=page.over,
        ),
        alt=f"{what.capitalize()} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the last day that was asked"),
            charts.left_out(left, f"repositories with the most {what}"),
        ),
        breaks=card.explained(found),
    )  # fmt: skip


def releases(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "project": st.column_config.TextColumn("Project", pinned=True),
            "source": "On",
            "scope": "Package or repository",
            "name": "Release",
            "released_at": st.column_config.DatetimeColumn("Released (UTC)", format="YYYY-MM-DD"),
            "is_prerelease": st.column_config.CheckboxColumn("Pre-release"),
            "is_yanked": st.column_config.CheckboxColumn("Yanked"),
            "days_since_previous": st.column_config.NumberColumn("Days since the one before", format="%.0f"),
        },
        alt="Releases in the period, the newest first",
    )


card.figure(page, "Projects", "overview", PROJECTS, projects, extra=dates, keys=("project",))
news.show(page)
alerts()
card.figure(page, "Repositories", "fct_all_time_base_repo_stats", REPOS, repos, empty=NO_SNAPSHOT)
card.figure(
    page, "Stars and forks", "fct_all_time_base_repo_stats", INTEREST, interest, drawn=INTEREST_DRAWN, keys=("repo", "date"),
    empty=f"No snapshot falls in this period. {NO_SNAPSHOT}",
)  # fmt: skip
card.figure(
    page, "Releases", "fct_releases", RELEASES, releases, keys=("source", "scope", "name"),
    empty="No release falls in this period. Choose a longer one.",
)  # fmt: skip
