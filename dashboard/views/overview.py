"""Overview: one row per project, and what changed this week."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, news, queries, session, text, tiles
from dashboard.backends import Values
from dashboard.page import Page
from dashboard.publications import newest_when_published
from dashboard.session import View

query = queries.beside(__file__)

DAYS_BEHIND = 3  # pypistats publishes a day one or two days later; the tile mentions a longer delay
MOST_ROWS = 12  # more projects are easier to read in the table
CHANGES = {"downloads_change": "pypistats_overall", "open_issues_change": "github_issues"}
# The page with more on an alert's metric.
PAGE_OF = {"downloads_28d": "pypi", "absence_factor": "commits", "stars": "", "days_since_release": ""}
NO_SNAPSHOT = (
    "This publication has no snapshots of these repositories: GitHub only gives current figures, so a run for an earlier "
    "day takes none."
)


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def projects(view: View, frame: pd.DataFrame) -> None:
    as_of = view.publication.as_of
    this_week, this_month = monday(as_of), as_of.replace(day=1)
    dates: Values = {
        "this_week": this_week,
        "half_year_ago": this_week - timedelta(weeks=26),
        "this_month": this_month,
        "year_ago": this_month.replace(year=this_month.year - 1),
    }
    lines = view.frame(query("lines"), dates)
    series: dict[Hashable, list[float]] = {
        key: list(part) for key, part in lines.groupby(["project", "figure"], sort=False)["value"]
    }
    # As far back as any change compares.
    newest = frame["downloads_until"].dropna()
    days = [day.date() - timedelta(days=54) for day in newest] + [as_of - timedelta(days=27)]
    found = card.breaks(view, list(CHANGES.values()), view.selection.scopes, (min(days), as_of))
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    tiles.show([(str(row["project"]), figures(view, row, series, found)) for row in rows[:MOST_ROWS]])
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(rows)} projects; the table lists all.")
        _table(frame)
    charts.explain(
        "Sparklines: the last 26 complete weeks; for the absence factor, the last year by month. Gap: no data. Each figure "
        "links to its page.",
        card.explained(found),
    )


def figures(
    view: View, row: Mapping[Hashable, Any], series: Mapping[Hashable, Sequence[float]], found: pd.DataFrame
) -> list[tiles.Figure]:
    """The figures of a project: `row` has their values, `series` their sparklines, `found` the known breaks."""
    as_of = view.publication.as_of
    project = str(row["project"])
    all_repos = filters.names(view.members, "repo", [project])
    repos = [name for name in all_repos if name in view.selection.repos]
    packages = filters.names(view.members, "package", [project])
    more_issues, more_downloads, released = row["open_issues_change"], row["downloads_change"], row["released_at"]
    more_stars, slowest = row["stars_change"], row["response_of"]
    # The first is the default: Streamlit removes it from an address, and the heading's name with it.
    of_repo = {"answers_of": slowest} if slowest and slowest != repos[0] else {}
    slowest_name = f", {slowest.partition('/')[2]}" if slowest and len(repos) > 1 else ""

    unselected = {"repositories"} if all_repos and not repos else set()

    def missing(value: object, members: Sequence[str], kind: str, why: str) -> str:
        return "" if value is not None else why if members else "none selected" if kind in unselected else f"no {kind}"

    def crossed(change: str, scopes: Sequence[str], first: Any, last: Any) -> str:
        """The letters of the known breaks between two days, to append to a note."""
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
            note=missing(row["stars"], repos, "repositories", "a repository has no snapshot")
            or ("change known after 28 days of runs" if more_stars is None else f"{more_stars:+,.0f} in 28 days"),
            tone=_tone(more_stars),
            link=view.link("", project, anchor="stars-and-forks"),
        ),
        tiles.Figure(
            "Downloads",
            text.short(row["downloads_28d"]),
            series.get((project, "downloads"), ()),
            note=missing(row["downloads_28d"], packages, "packages", "days missing in the last 28") or span
            if more_downloads is None
            else f"{span}, {text.percent(more_downloads)}"
            + crossed("downloads_change", packages, until - timedelta(days=54), until),
            tone=_tone(more_downloads),
            link=view.link("pypi", project, anchor="downloads"),
        ),
        tiles.Figure(
            "Open issues",
            text.number(row["open_issues"]),
            series.get((project, "issues"), ()),
            note=missing(row["open_issues"], repos, "repositories", "incomplete history")
            if more_issues is None
            else f"{more_issues:+,.0f} in 28 days" + crossed("open_issues_change", repos, as_of - timedelta(days=27), as_of),
            tone=_tone(None if more_issues is None else -more_issues),
            link=view.link("issues", project, anchor="open-issues"),
        ),
        tiles.Figure(
            "First response",
            text.duration(row["response_hours"]),
            series.get((project, "response"), ()),
            note=missing(row["response_hours"], repos, "repositories", "no answers, or incomplete history")
            or f"median, 12 weeks{slowest_name}: {row['response_answered']:,.0f} of {row['response_opened']:,.0f} answered",
            link=view.link("issues", project, anchor="time-to-first-response", **of_repo),
        ),
        tiles.Figure(
            "Absence factor",
            text.number(row["absence_factor"]),
            series.get((project, "absence"), ()),
            note=missing(row["absence_factor"], repos, "repositories", "no commits, or incomplete history")
            or f"{'person' if row['absence_factor'] == 1 else 'people'} behind half of the year's commits",
            link=view.link("commits", project, anchor="absence-factor-over-time"),
        ),
        tiles.Figure(
            "Last release",
            text.version(row["last_release"]) if row["last_release"] else "–",
            note=f"{text.count((as_of - released.date()).days, 'day')} old" if released else "none yet",
            link=view.link("", project, anchor="releases"),
        ),
    ]


def _tone(gain: float | None) -> str:
    return "none" if not gain else "good" if gain > 0 else "bad"


def alerts(view: View) -> None:
    """The alerts of the publication shown, and the rules that could not be checked."""
    publication = view.publication
    run = next((run for run in session.runs(view.settings) if run.run_id == publication.run_id), None)
    details = [step.get("details") or {} for step in json.loads((run and run.steps) or "[]")]
    raised, unchecked = (_about(view, details, name) for name in ("alerts", "unchecked"))
    failed = next((step["alerts_error"] for step in details if step.get("alerts_error")), None)
    st.header("Alerts", anchor=False)
    if raised:
        st.warning("\n".join(raised), icon=":material/notifications_active:")
    if unchecked:
        st.info("\n".join(unchecked), icon=":material/help:")
    if run is None:
        st.info("Alerts unknown: the run of this publication is not recorded.", icon=":material/inbox:")
    elif failed:
        st.warning(f"Rules not checked. {text.literal(failed)}", icon=":material/help:")
    elif publication.key not in newest_when_published(session.publications(view.settings)):
        st.info(
            "Rules not checked: only the newest publication is checked, and a newer one already existed.",
            icon=":material/help:",
        )
    elif not raised:
        st.success("No alerts from the rules checked." if unchecked else "No alerts.", icon=":material/check_circle:")
    st.caption("The rules are in dbt/alerts.yaml. They are checked when a run is published.")


def _about(view: View, details: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """The messages about the selected projects as Markdown bullets, each with a link to the page that has more."""
    return [
        f"- {text.literal(entry['message'])} [More]({view.link(PAGE_OF.get(entry['metric'], 'issues'), entry['project'])})"
        for step in details
        for entry in step.get(name, [])
        if entry["project"] in view.selection.projects
    ]


def _table(frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "project": st.column_config.TextColumn("Project", pinned=True),
            "stars": st.column_config.NumberColumn("Stars", format="localized"),
            "stars_change": st.column_config.NumberColumn("Stars gained in 28 days", format="%+d"),
            "downloads_28d": st.column_config.NumberColumn("Downloads in 28 days", format="localized"),
            "downloads_change": st.column_config.NumberColumn("Downloads change (%)", format="%+.1f"),
            "downloads_until": st.column_config.DateColumn("Downloads until", format="YYYY-MM-DD"),
            "open_issues": st.column_config.NumberColumn("Open issues", format="localized"),
            "open_issues_change": st.column_config.NumberColumn("Open issues change in 28 days", format="%+d"),
            "response_hours": st.column_config.NumberColumn("First response (hours)", format="%.1f"),
            "response_of": "Slowest repository",
            "response_answered": st.column_config.NumberColumn("Issues answered", format="localized"),
            "response_opened": st.column_config.NumberColumn("Issues opened", format="localized"),
            "absence_factor": "Absence factor",
            "last_release": "Last release",
            "released_by": "Released by",
            "released_at": st.column_config.DatetimeColumn("Released (UTC)", format="YYYY-MM-DD"),
        },
        alt="All projects with their figures",
    )


def repos(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": st.column_config.TextColumn("Repository", pinned=True),
            "snapshot_date": st.column_config.DateColumn("Fetched on", format="YYYY-MM-DD"),
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
        alt="GitHub's latest figures of each repository",
    )


def interest(view: View, frame: pd.DataFrame) -> None:
    kinds = ["stars", "forks", "subscribers"]
    what: str = filters.of_page(st.radio, "Figure", "Figure", kinds, key="interest", horizontal=True)
    grain = view.selection.grain
    if frame["date"].nunique() == 1:
        when = f"{frame['date'].iloc[0]:%Y-%m-%d}"
        st.info(
            f"Only one snapshot so far ({when if grain == 'day' else f'{grain} of {when}'}), and a line needs two. Runs on "
            "other days will add more; the table above has the figures.",
            icon=":material/inbox:",
        )
        return
    kept, left = charts.top_series(frame, "repo", what)
    # Snapshots may start late: no breaks from before.
    found = card.breaks(view, ["github_repo"], view.selection.repos, (frame["date"].min().date(), view.selection.last))
    charts.show(
        charts.lines(
            kept, "date", "repo", what, what.capitalize(), grain=grain, everything=view.every_repo, breaks=found, zero=False,
            over=view.over,
        ),
        alt=f"{what.capitalize()} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the last snapshot"),
            charts.left_out(left, f"repositories with the most {what}"),
        ),
        breaks=card.explained(found),
    )  # fmt: skip


def releases(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "project": st.column_config.TextColumn("Project", pinned=True),
            "source": "Published on",
            "scope": "Package or repository",
            "name": "Release",
            "released_at": st.column_config.DatetimeColumn("Released (UTC)", format="YYYY-MM-DD"),
            "is_prerelease": st.column_config.CheckboxColumn("Pre-release"),
            "is_yanked": st.column_config.CheckboxColumn("Yanked"),
            "days_since_previous": st.column_config.NumberColumn("Days since the previous", format="%.0f"),
        },
        alt="Releases in the period, newest first",
    )


def show(view: View) -> None:
    st.title("Overview", anchor=False)
    st.caption("The period applies to Stars and forks and to Releases. The other figures state their own period.")
    as_of = view.publication.as_of
    dates: Values = {
        "four_weeks_ago": as_of - timedelta(days=28),
        "this_week": monday(as_of),
        "twelve_weeks_ago": monday(as_of) - timedelta(weeks=12),
    }
    card.figure(view, "Projects", "overview", query("projects"), projects, extra=dates, keys=("project",))
    news.show(view)
    alerts(view)
    card.figure(view, "Repositories", "fct_all_time_base_repo_stats", query("repositories"), repos, empty=NO_SNAPSHOT)
    card.figure(
        view,
        "Stars and forks",
        "fct_all_time_base_repo_stats",
        query("interest"),
        interest,
        drawn=query("interest_drawn"),
        keys=("repo", "date"),
        empty=f"No snapshots in this period. {NO_SNAPSHOT}",
    )
    card.figure(
        view,
        "Releases",
        "fct_releases",
        query("releases"),
        releases,
        keys=("source", "scope", "name"),
        empty="No releases in this period. Try a longer one.",
    )


PAGE = Page(title="Overview", icon=":material/monitor_heart:", order=10, show=show)
