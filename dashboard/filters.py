"""The filters: projects, repositories and dates, kept in the address so that a link shows the same view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import text
from lakepulse.publications import Publication

ALL_TIME = "all time"
PERIODS: dict[str, int | None] = {"90 days": 90, "1 year": 365, "3 years": 1096, ALL_TIME: None}
CUSTOM = "custom"
DEFAULT_PERIOD = "1 year"
_DROPPED = "lakepulse-dropped"
OF_ALL_PAGES = ("as_of", "project", "repo", "period", "from", "to")
"""The keys of the widgets in the sidebar."""

Member = tuple[str, str, str]
"""A row of `dim_projects`: project, kind (`repo` or `package`), name."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected scopes and dates, both ends included. `grain` is the step of the charts: day, week or month."""

    projects: tuple[str, ...]
    repos: tuple[str, ...]
    packages: tuple[str, ...]
    first: date
    last: date
    grain: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of the sources: repositories and packages."""
        return (*self.repos, *self.packages)

    @property
    def first_week(self) -> date:
        """The Monday of the week of the first day."""
        return self.first - timedelta(days=self.first.weekday())

    @property
    def first_month(self) -> date:
        """The first day of the month of the first day."""
        return self.first.replace(day=1)


def names(members: Sequence[Member], kind: str, projects: Sequence[str]) -> tuple[str, ...]:
    """The repositories or packages of some projects, in the order of the list."""
    return tuple(name for project, its_kind, name in members if its_kind == kind and project in projects)


def projects_of(members: Sequence[Member]) -> tuple[str, ...]:
    """The projects, without repetition."""
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
    """The selection that the widgets' values stand for; an empty choice of projects or repositories means all.

    Dates stay within `earliest` (the first with data) and `as_of`. Where charts show weeks or months, the period is
    extended to complete ones, so that its ends do not look like a drop.
    """
    projects = tuple(chosen_projects) or projects_of(members)
    repos = tuple(repo for repo in names(members, "repo", projects) if not chosen_repos or repo in chosen_repos)
    packages = names(members, "package", projects)
    if period == CUSTOM:
        first = max(custom[0] or earliest, earliest)
        last = min(custom[1] or as_of, as_of)
    else:
        length = PERIODS.get(period or DEFAULT_PERIOD, PERIODS[DEFAULT_PERIOD])
        first = earliest if length is None else max(earliest, as_of - timedelta(days=length - 1))
        last = as_of
    grain = grain_of(first, last)
    if grain == "week":
        first -= timedelta(days=first.weekday())
        last += timedelta(days=6 - last.weekday())
    elif grain == "month":
        first = first.replace(day=1)
        last = (last.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Selection(projects, repos, packages, first, min(last, as_of), grain)


def grain_of(first: date, last: date) -> str:
    """Days while a chart can separate them, then weeks, then months."""
    length = (last - first).days
    return "day" if length <= 120 else "week" if length <= 800 else "month"


def unknown_in_link(key: str, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Values in the address that a widget will not accept. Call it before the widget, which drops them silently."""
    return tuple(value for value in st.query_params.get_all(key) if value and not is_known(value))


def remember_dropped(
    key: str, problem: str, unknown: tuple[str, ...], chosen: object, title: Callable[[str], str] = str
) -> None:
    """Remember what a widget dropped until its value changes; `chosen` is its current value, written by `title`."""
    notes = st.session_state.setdefault(_DROPPED, {})
    if unknown:
        values = chosen if isinstance(chosen, list) else [] if chosen is None else [chosen]
        shown = text.listed([text.literal(title(value)) for value in values], 5) or "all"
        named = text.listed([f"**{text.literal(value)}**" for value in unknown], 5)
        notes[key] = (f"{problem}: {named}. Showing {shown}.", chosen)
    elif key in notes and notes[key][1] != chosen:
        del notes[key]


def report_dropped(*keys: str) -> None:
    """Warn about what the address has for these widgets and they dropped."""
    notes = st.session_state.get(_DROPPED, {})
    for message, _ in (notes[key] for key in keys if key in notes):
        st.warning(message, icon=":material/link_off:")


def of_page(
    widget: Callable[..., Any],
    what: str,
    label: str,
    options: Sequence[str],
    *,
    key: str,
    title: Callable[[str], str] = str,
    **more: object,
) -> Any:
    """Draw a widget of one page (Streamlit's radio, selectbox or multiselect) and return its value.

    `key` is its name in the address, where options appear by their titles; `what` names it in the warning about an
    option that does not exist.
    """
    # Once the widget exists, an option disappears because of another filter, not because of the address.
    unknown = () if key in st.session_state else unknown_in_link(key, set(map(title, options)).__contains__)
    chosen = widget(label, options, format_func=title, key=key, bind="query-params", **more)
    remember_dropped(key, f"{what} not found", unknown, chosen, title)
    report_dropped(key)
    return chosen


def raw(label: str) -> bool:
    """Draw the switch for the unsmoothed values of a page and return whether it is on."""
    return bool(st.toggle(label, key="raw", bind="query-params"))


def choose(members: Sequence[Member], publication: Publication, earliest: date) -> Selection:
    """Draw the filters and return the selection. Each widget's key is its name in the address."""
    all_projects = projects_of(members)
    unknown = unknown_in_link("project", all_projects.__contains__)
    projects = st.multiselect(
        "Projects",
        all_projects,
        key="project",
        bind="query-params",
        placeholder="All projects",
        help="Leave empty for all.",
    )
    remember_dropped("project", "Project not found", unknown, projects)
    all_repos = names(members, "repo", projects or all_projects)
    unknown = unknown_in_link("repo", all_repos.__contains__)
    repos = st.multiselect(
        "Repositories",
        all_repos,
        key="repo",
        bind="query-params",
        placeholder="All repositories",
        help="Filters commits, issues and pull requests. Packages are filtered by project.",
    )
    remember_dropped("repo", "Repository not found", unknown, repos)
    periods = [*PERIODS, CUSTOM]
    unknown = unknown_in_link("period", periods.__contains__)
    period = st.selectbox("Period", periods, index=periods.index(DEFAULT_PERIOD), key="period", bind="query-params")
    remember_dropped("period", "Period not found", unknown, period)
    custom: tuple[date | None, date | None] = (None, None)
    if period == CUSTOM:
        custom = (
            _day("From (UTC)", "from", earliest, publication.as_of),
            _day("To (UTC)", "to", earliest, publication.as_of),
        )
    return resolve(members, projects, repos, period=period, custom=custom, earliest=earliest, as_of=publication.as_of)


def _day(label: str, key: str, first: date, last: date) -> date | None:
    def is_known(value: str) -> bool:
        try:
            return first <= date.fromisoformat(value) <= last
        except ValueError:
            return False

    unknown = unknown_in_link(key, is_known)
    day = st.date_input(label, value=None, min_value=first, max_value=last, key=key, format="YYYY-MM-DD", bind="query-params")
    remember_dropped(key, "Date outside the data", unknown, day)
    return day
