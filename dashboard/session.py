"""What every page works with: the publication, the selection, and cached answers from the engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import TypeVar, cast
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import streamlit as st
from cachetools import LRUCache

from dashboard.backends import Backend, Snapshot, Values, open_backend
from dashboard.filters import Member, Selection
from dashboard.publications import Run, latest_runs
from lakepulse.names import PUBLICATIONS, RUNS
from lakepulse.publications import Publication, newest_first
from lakepulse.settings import Settings

_KEY = "lakepulse-view"
_KEPT_BYTES = 24_000_000
"""Of a publication's answers, and again of the same as pandas has them: a few dozen views of a hundred projects."""

_Question = tuple[str, tuple[tuple[str, object], ...]]
T = TypeVar("T")

_EARLIEST = """
SELECT min(first) AS first
FROM (
    SELECT min(commit_author_date) AS first FROM gold.fct_all_time_author_commits_trend
    UNION ALL
    SELECT min(date) AS first FROM gold.fct_percent_change_downloads_overall
    UNION ALL
    SELECT min(date) AS first FROM gold.fct_all_time_issues_trend
) AS firsts
"""
_MEMBERS = "SELECT project, kind, name FROM gold.dim_projects ORDER BY project, kind, name"


@st.cache_resource(show_spinner=False)
def _backend(_settings: Settings) -> Backend:
    return open_backend(_settings)


@st.cache_resource(ttl=20, show_spinner=False)
def _publications(_settings: Settings) -> list[Publication]:
    return newest_first(_backend(_settings).current(PUBLICATIONS).to_pylist())


@st.cache_resource(ttl=20, show_spinner=False)
def _runs(_settings: Settings) -> list[Run]:
    return latest_runs(_backend(_settings).current(RUNS))


@st.cache_resource(max_entries=3, show_spinner=False)
def _opened(key: str, _settings: Settings, _publication: Publication) -> _Opened:  # noqa: ARG001 - the key is for the cache
    return _Opened(Snapshot(_backend(_settings), _publication))


class _Opened:
    """A publication and the answers that it gave to any session; those asked for longest ago go first."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._lock = Lock()
        self._rows: LRUCache[_Question, pa.Table] = LRUCache(_KEPT_BYTES, lambda rows: rows.nbytes)
        self._frames: LRUCache[_Question, pd.DataFrame] = LRUCache(_KEPT_BYTES, _size)

    def rows(self, sql: str, values: Values) -> pa.Table:
        return self._kept(self._rows, (sql, _named(sql, values)), lambda: self._snapshot.run(sql, values))

    def frame(self, sql: str, values: Values) -> pd.DataFrame:
        return self._kept(self._frames, (sql, _named(sql, values)), lambda: to_frame(self.rows(sql, values)))

    def _kept(self, cache: LRUCache[_Question, T], question: _Question, make: Callable[[], T]) -> T:
        with self._lock:
            found = cache.get(question)
        if found is None:
            found = make()
            # An answer larger than all that is kept is not kept.
            with self._lock, suppress(ValueError):
                cache[question] = found
        return found


def _size(frame: pd.DataFrame) -> int:
    return int(frame.memory_usage(deep=True).sum())


def _named(sql: str, values: Values) -> tuple[tuple[str, object], ...]:
    """Those of the values that the query names."""
    return tuple(sorted((name, value) for name, value in values.items() if f":{name}" in sql))


def publications(settings: Settings) -> list[Publication]:
    """All publications, the newest first; at most 20 seconds old.

    Raises:
        UnavailableError: they cannot be read.
    """
    return _publications(settings)


def runs(settings: Settings) -> list[Run]:
    """All runs, the last to end first.

    Raises:
        UnavailableError: they cannot be read.
    """
    return _runs(settings)


@dataclass(frozen=True, slots=True)
class View:
    """One session's view. `publication` is shown, `newest` exists; `now` is aware UTC."""

    settings: Settings
    publication: Publication
    newest: Publication
    members: tuple[Member, ...]
    selection: Selection
    now: datetime

    @property
    def values(self) -> Values:
        """What `:name` in the pages' SQL stands for."""
        chosen = self.selection
        return {
            "projects": chosen.projects,
            "repos": chosen.repos,
            "packages": chosen.packages,
            "first": chosen.first,
            "first_week": chosen.first_week,
            "first_month": chosen.first_month,
            "last": chosen.last,
            "grain": chosen.grain,
            "as_of": self.publication.as_of,
        }

    @property
    def is_newest(self) -> bool:
        return self.publication.key == self.newest.key

    @property
    def over(self) -> date:
        """The first day that was not over when this was published, so that what reaches into it is unfinished."""
        published = self.publication.published_at.date()
        return min(self.publication.as_of + timedelta(days=1), published)

    def has(self, table: str) -> bool:
        """Whether the shown publication has a gold table: an old one lacks those that came later."""
        return table in self.publication.snapshots

    def link(self, path: str, project: str, *, anchor: str = "", **more: str) -> str:
        """The address of a page with one project chosen, at the date, period and repos that are shown; `""` is the Overview."""
        keys = ("period", "from", "to") if self.is_newest else ("period", "from", "to", "as_of")
        kept = {key: st.query_params[key] for key in keys if key in st.query_params}
        of_project = [name for member, kind, name in self.members if kind == "repo" and member == project]
        repos = [name for name in of_project if name in st.query_params.get_all("repo")]
        asked = urlencode({"project": project, "repo": repos, **more, **kept}, doseq=True)
        return f"{path}?{asked}{'#' if anchor else ''}{anchor}"

    def arrow(self, sql: str, extra: Values | None = None, publication: Publication | None = None) -> pa.Table:
        """Rows at the shown publication, or at another; `extra` are further values."""
        return answer(self.settings, publication or self.publication, sql, {**self.values, **(extra or {})})

    def count(self, sql: str, extra: Values | None = None) -> int:
        """How many rows there are at the shown publication."""
        counted = self.arrow(f"SELECT count(*) AS number FROM ({sql}) AS counted", extra)  # noqa: S608 - a page's own query
        return int(counted.column("number")[0].as_py())

    def frame(self, sql: str, extra: Values | None = None) -> pd.DataFrame:
        """Rows at the shown publication as pandas has them, dates as timestamps at midnight; shared, so never changed."""
        opened = _opened(self.publication.key, self.settings, self.publication)
        return opened.frame(sql, {**self.values, **(extra or {})})


def to_frame(rows: pa.Table) -> pd.DataFrame:
    """Arrow rows in pandas; dates become timestamps, which charts and gap filling need."""
    frame: pd.DataFrame = rows.to_pandas(date_as_object=False)
    return frame


def answer(settings: Settings, publication: Publication, sql: str, values: Values) -> pa.Table:
    """The rows of a query at a publication, from the cache if any session asked before.

    Raises:
        UnavailableError: the engine cannot read the data.
    """
    return _opened(publication.key, settings, publication).rows(sql, values)


def members(settings: Settings, publication: Publication) -> tuple[Member, ...]:
    """The projects with their repos and packages, in order."""
    return tuple((row["project"], row["kind"], row["name"]) for row in answer(settings, publication, _MEMBERS, {}).to_pylist())


def earliest(settings: Settings, publication: Publication) -> date:
    """The first date that has anything to show."""
    first = answer(settings, publication, _EARLIEST, {}).column("first")[0].as_py()
    return first if isinstance(first, date) else publication.as_of


def keep(view: View) -> None:
    """Hand the view to the page that runs next in this session."""
    st.session_state[_KEY] = view


def current() -> View:
    """The view of this session, as app.py made it for this run."""
    return cast("View", st.session_state[_KEY])


def now() -> datetime:
    return datetime.now(UTC)
