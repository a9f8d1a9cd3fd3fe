"""Overview: one row per project, and what changed this week."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd
import streamlit as st

from dashboard import card, charts, filters, metrics, news, queries, session, text, tiles
from dashboard.page import Page
from dashboard.publications import newest_when_published
from dashboard.session import View
from lakepulse.figures import YEAR, Figure, newest, percent, week_before, worded

query = queries.beside(__file__)

MOST_ROWS = 12  # more projects are easier to read in the table
WEEKS_SHOWN = 26
NOTABLE_PERCENT = 10.0
"""A change is good or bad from here on; below, it is noise."""
# The page and heading with more on a figure; a figure that is not listed is on the page of its question.
PAGE_OF = {
    "stars": ("", "stars-and-forks"),
    "days_since_release": ("", "releases"),
    "releases_365d": ("", "releases"),
    "downloads_per_day_28d": ("pypi", "downloads"),
    "downloads_change_year": ("pypi", "downloads"),
    "open_issues": ("issues", "open-issues"),
    "answered_7d_share_12w": ("issues", "share-answered"),
    "first_response_median_hours_12w": ("issues", "time-to-first-response"),
    "closed_per_opened_12w": ("issues", "backlog"),
    "merge_median_days_12w": ("pulls", ""),
    "acceptance_12w": ("pulls", ""),
    "absence_factor_365d": ("commits", "absence-factor-over-time"),
}
PAGE_OF_QUESTION = {"alive": ("commits", ""), "carried": ("commits", ""), "answered": ("issues", ""), "adopted": ("pypi", "")}
FLAGS = {
    "archived": "a repository is archived",
    "deprecated": "a package is deprecated",
    "disabled": "a repository is disabled",
    "issues_off": "issues are switched off in a repository",
    "not_found": "a repository or package was not found",
    "one_person": "one person makes half of the commits",
    "package_archived": "a package is archived",
    "quarantined": "PyPI has a package in quarantine",
}
"""Flag of fct_project_state -> what it means."""
NO_SNAPSHOT = (
    "This publication has no snapshots of these repositories: GitHub only gives current figures, so a run for an earlier "
    "day takes none."
)


def projects(view: View, frame: pd.DataFrame) -> None:
    known = metrics.figures_of(view)
    values = frame.astype(object).where(frame.notna(), None).assign(week=frame["week"].dt.date)
    found = newest(known, cast("list[dict[str, Any]]", values.to_dict("records")), view.publication.as_of)
    lines = {
        key: list(part.sort_values("week")["value"].tail(WEEKS_SHOWN).astype(float))
        for key, part in frame.groupby(["scope", "figure"], sort=False)
    }
    states = {row["project"]: row for row in view.arrow(query("states")).to_pylist()}
    names = sorted({figure.scope for figure in found})
    found.sort(key=lambda figure: figure.meaning.headline or 0)
    own = {name: [figure for figure in found if figure.scope == name] for name in names}
    tiles.show(
        [
            (
                name,
                [tile(view, each, lines.get((name, each.meaning.figure), ())) for each in own[name]],
                state(states.get(name)),
            )
            for name in names[:MOST_ROWS]
        ]
    )
    if len(names) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(names)} projects; the table lists all.")
        _table(found, states)
    st.caption(
        f"Sparklines: the last {WEEKS_SHOWN} weeks. Gap: no data. Changes are against four weeks before; green and red from "
        f"{NOTABLE_PERCENT:.0f} % on. Each figure links to its page."
    )


def state(row: Mapping[str, Any] | None) -> str:
    """What to say of a project in one line; empty if an earlier version made the publication."""
    if row is None:
        return ""
    flags = [FLAGS.get(flag, flag) for flag in (row["flags"] or "").split(", ") if flag]
    return " ".join([row["sentence"], *([f"Note: {'; '.join(flags)}."] if flags else [])])


def tile(view: View, figure: Figure, line: Sequence[float]) -> tiles.Figure:
    """A figure of a project with its trend, or with the reason why there is none."""
    notes = [f"{percent(figure.change)} in 4 weeks"] if figure.change is not None else []
    if figure.status != "known" or figure.value is None:
        notes.append(figure.reason or figure.status)
    path, anchor = PAGE_OF.get(figure.meaning.figure, PAGE_OF_QUESTION[figure.meaning.question])
    return tiles.Figure(
        figure.meaning.title,
        "–" if figure.value is None else worded(figure.value, figure.meaning.unit),
        line,
        note="; ".join(notes),
        tone=_tone(figure),
        link=view.link(path, figure.scope, anchor=anchor),
    )


def _tone(figure: Figure) -> str:
    """Good or bad if the change is notable and one direction is better."""
    if figure.change is None or figure.meaning.better == "neither" or abs(figure.change) < NOTABLE_PERCENT:
        return "none"
    return "good" if (figure.change > 0) == (figure.meaning.better == "up") else "bad"


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
        f"- {text.literal(entry['message'])} [More]({view.link(_page(entry), entry['project'])})"
        for step in details
        for entry in step.get(name, [])
        if entry["project"] in view.selection.projects
    ]


def _page(entry: Mapping[str, Any]) -> str:
    # Earlier versions called it a metric.
    return PAGE_OF.get(entry.get("figure") or entry.get("metric") or "", ("issues", ""))[0]


def _table(found: Sequence[Figure], states: Mapping[str, Mapping[str, Any]]) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for figure in found:
        row = rows.setdefault(figure.scope, {"Project": figure.scope, "State": (states.get(figure.scope) or {}).get("state")})
        row[figure.meaning.title] = figure.value
    st.dataframe(
        pd.DataFrame(rows.values()),
        hide_index=True,
        placeholder="–",
        column_config={"Project": st.column_config.TextColumn("Project", pinned=True)},
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
    if view.has("fct_figures"):
        year_before = week_before(view.publication.as_of, YEAR)
        card.figure(
            view, "Projects", "fct_figures", query("projects"), projects, extra={"year_before": year_before},
            keys=("scope", "figure", "week"),
        )  # fmt: skip
    else:
        st.info("An earlier version made this publication, without figures of whole projects.", icon=":material/inbox:")
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
