"""What a page shows: projects, repos and dates, kept in the address so that a link shows the same view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from dashboard.publications import Publication

PERIODS: dict[str, int | None] = {"90 days": 90, "1 year": 365, "3 years": 1096, "all time": None}
CUSTOM = "custom"
DEFAULT_PERIOD = "1 year"

Member = tuple[str, str, str]
"""A row of `dim_projects`: project, kind (`repo` or `package`), name."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen scopes, and dates that include both ends. `grain` is what charts sum days to."""

    projects: tuple[str, ...]
    repos: tuple[str, ...]
    packages: tuple[str, ...]
    first: date
    last: date
    grain: str


def names(members: Sequence[Member], kind: str, projects: Sequence[str]) -> tuple[str, ...]:
    """The repos or packages of some projects, in the order of the list."""
    return tuple(name for project, its_kind, name in members if its_kind == kind and project in projects)


def projects_of(members: Sequence[Member]) -> tuple[str, ...]:
    """Each project once."""
    return tuple(dict.fromkeys(project for project, _, _ in members))


def resolve(
    members: Sequence[Member],
    chosen_projects: Sequence[str],
    chosen_repos: Sequence[str],
    *,
    period: str | None,
    custom: tuple[date | None, date | None],
    earliest: date,
    as_of: date,
) -> Selection:
    """What the widgets' values mean; choosing none of a kind means all of it.

    Dates stay within `earliest` (the first that has data) and `as_of`. A named period
    starts with a whole week or month where charts sum to those.
    """
    projects = tuple(chosen_projects) or projects_of(members)
    repos = tuple(repo for repo in names(members, "repo", projects) if not chosen_repos or repo in chosen_repos)
    packages = names(members, "package", projects)
    if period == CUSTOM:
        first = max(custom[0] or earliest, earliest)
        last = min(custom[1] or as_of, as_of)
        return Selection(projects, repos, packages, first, last, grain_of(first, last))
    length = PERIODS.get(period or DEFAULT_PERIOD, PERIODS[DEFAULT_PERIOD])
    first = earliest if length is None else max(earliest, as_of - timedelta(days=length - 1))
    grain = grain_of(first, as_of)
    if grain == "week":
        first -= timedelta(days=first.weekday())
    elif grain == "month":
        first = first.replace(day=1)
    return Selection(projects, repos, packages, first, as_of, grain)


def grain_of(first: date, last: date) -> str:
    """Days while they can be told apart, then weeks, then months."""
    length = (last - first).days
    return "day" if length <= 120 else "week" if length <= 800 else "month"


def choose(members: Sequence[Member], publication: Publication, earliest: date) -> Selection:
    """Draw the filters and read them. Each widget's key is its name in the address."""
    projects = st.multiselect(
        "Projects",
        projects_of(members),
        key="project",
        bind="query-params",
        placeholder="All projects",
        help="None chosen: all.",
    )
    repos = st.multiselect(
        "Repositories",
        names(members, "repo", projects or projects_of(members)),
        key="repo",
        bind="query-params",
        placeholder="All repositories",
        help="Narrows commits, issues and pull requests; packages follow the projects.",
    )
    period = st.selectbox(
        "Period", [*PERIODS, CUSTOM], index=list(PERIODS).index(DEFAULT_PERIOD), key="period", bind="query-params"
    )
    custom: tuple[date | None, date | None] = (None, None)
    if period == CUSTOM:
        custom = (
            _day("From (UTC)", "from", earliest, publication.as_of),
            _day("To (UTC)", "to", earliest, publication.as_of),
        )
    return resolve(members, projects, repos, period=period, custom=custom, earliest=earliest, as_of=publication.as_of)


def _day(label: str, key: str, first: date, last: date) -> date | None:
    return st.date_input(label, value=None, min_value=first, max_value=last, key=key, format="YYYY-MM-DD", bind="query-params")
