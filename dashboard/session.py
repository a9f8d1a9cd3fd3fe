"""What every page works with: the publication, the selection, and cached query results."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import streamlit as st
from cachetools import LRUCache

from dashboard import queries
from dashboard.backends import Backend, Snapshot, Values, open_backend
from dashboard.charts import is_dark
from dashboard.filters import Member, Selection
from dashboard.looks import Look, looks
from dashboard.publications import Run, latest_runs, newest_first
from lakepulse.names import PUBLICATIONS, RUNS
from lakepulse.publications import Publication
from lakepulse.settings import Settings

_KEY = "lakepulse-view"
_KEPT_BYTES = 24_000_000
"""For a publication's results in Arrow, and as much again in pandas: a few dozen views of a hundred projects."""

_MOST_MADE = 300
"""Drawings of a publication, each some ten thousand bytes."""

_Question = tuple[str, tuple[tuple[str, object], ...]]
T = TypeVar("T")

query = queries.beside(__file__)


@st.cache_resource(show_spinner=False)
def _backend(_settings: Settings) -> Backend:
    return open_backend(_settings)


@st.cache_resource(ttl=20, show_spinner=False)
def _publications(_settings: Settings) -> list[Publication]:
    return newest_first(_backend(_settings).current(PUBLICATIONS))


@st.cache_resource(ttl=20, show_spinner=False)
def _runs(_settings: Settings) -> list[Run]:
    return latest_runs(_backend(_settings).current(RUNS))


@st.cache_resource(max_entries=3, show_spinner=False)
def _opened(key: str, _settings: Settings, _publication: Publication) -> _Opened:  # noqa: ARG001 - the key is for the cache
    return _Opened(Snapshot(_backend(_settings), _publication))


class _Opened:
    """A publication and its cached query results, shared by all sessions; the least recently used are dropped first."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._lock = Lock()
        self._rows: LRUCache[_Question, pa.Table] = LRUCache(_KEPT_BYTES, lambda rows: rows.nbytes)
        self._frames: LRUCache[_Question, pd.DataFrame] = LRUCache(_KEPT_BYTES, _size)
        self._made: LRUCache[Hashable, Any] = LRUCache(_MOST_MADE)

    def rows(self, sql: str, values: Values) -> pa.Table:
        return self._kept(self._rows, (sql, _named(sql, values)), lambda: self._snapshot.run(sql, values))

    def frame(self, sql: str, values: Values) -> pd.DataFrame:
        return self._kept(self._frames, (sql, _named(sql, values)), lambda: to_frame(self.rows(sql, values)))

    def made(self, key: Hashable, make: Callable[[], T]) -> T:
        return cast("T", self._kept(self._made, key, make))

    def _kept(self, cache: LRUCache[Any, T], question: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            found = cache.get(question)
        if found is None:
            found = make()
            # A result larger than the whole cache is not cached.
            with self._lock, suppress(ValueError):
                cache[question] = found
        return found


def _size(frame: pd.DataFrame) -> int:
    return int(frame.memory_usage(deep=True).sum())


def _named(sql: str, values: Values) -> tuple[tuple[str, object], ...]:
    """The values that the query uses."""
    return tuple(sorted((name, value) for name, value in values.items() if f":{name}" in sql))


def publications(settings: Settings) -> list[Publication]:
    """All publications, newest first; cached for 20 seconds.

    Raises:
        UnavailableError: they cannot be read.
    """
    return _publications(settings)


def runs(settings: Settings) -> list[Run]:
    """All runs, the latest to end first; cached for 20 seconds.

    Raises:
        UnavailableError: they cannot be read.
    """
    return _runs(settings)


@dataclass(frozen=True, slots=True)
class View:
    """One session's view: the `publication` shown, the `newest` one that exists, and `now` in UTC, with its time zone."""

    settings: Settings
    publication: Publication
    newest: Publication
    members: tuple[Member, ...]
    selection: Selection
    now: datetime
    said: dict[str, str] = field(default_factory=dict)
    """What a page has said so far, with the place that said it: a page says nothing twice."""
    marked: dict[str, str] = field(default_factory=dict)
    """The letters of the known breaks that charts of the page mark, with their notes in Markdown."""

    @property
    def values(self) -> Values:
        """The values of `:name` in every query."""
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
    def looks(self) -> Mapping[str, Look]:
        """What each project, repository and package of the publication looks like in charts, selected or not."""
        return looks(self.members, dark=is_dark())

    def says_first(self, sentence: str, place: str) -> bool:
        """Whether `place` is the first of the page to say a sentence."""
        return self.said.setdefault(sentence, place) == place

    @property
    def is_newest(self) -> bool:
        return self.publication.key == self.newest.key

    @property
    def over(self) -> date:
        """The first day that was not over at publishing; weeks and months that include it are still in progress."""
        published = self.publication.published_at.date()
        return min(self.publication.as_of + timedelta(days=1), published)

    @property
    def named(self) -> tuple[str, ...]:
        """The project, if only one is selected."""
        chosen = self.selection.projects
        return chosen if len(chosen) == 1 else ()

    def has(self, table: str) -> bool:
        """Whether the publication shown has a gold table; old ones lack tables added later."""
        return table in self.publication.snapshots

    def link(self, path: str, project: str, *, anchor: str = "", **more: str | Sequence[str]) -> str:
        """The address of a page (`""`: Overview) for a project (`""`: all), with the current date, period and repositories."""
        keys = ("period", "from", "to") if self.is_newest else ("period", "from", "to", "as_of")
        kept = {key: st.query_params[key] for key in keys if key in st.query_params}
        of_project = [name for member, kind, name in self.members if kind == "repo" and member == project]
        repos = [name for name in of_project if name in st.query_params.get_all("repo")]
        parameters = urlencode({"project": [project] if project else [], "repo": repos, **more, **kept}, doseq=True)
        return f"{path}?{parameters}{'#' if anchor else ''}{anchor}"

    def arrow(self, sql: str, extra: Values | None = None, publication: Publication | None = None) -> pa.Table:
        """The rows of a query at the publication shown, or at another one; `extra` has values of the query's own."""
        return answer(self.settings, publication or self.publication, sql, {**self.values, **(extra or {})})

    def count(self, sql: str, extra: Values | None = None) -> int:
        """The number of rows of a query at the publication shown."""
        counted = self.arrow(f"SELECT count(*) AS number FROM ({sql}) AS counted", extra)  # noqa: S608 - a page's own query
        return int(counted.column("number")[0].as_py())

    def frame(self, sql: str, extra: Values | None = None) -> pd.DataFrame:
        """The rows of a query at the publication shown, dates as timestamps at midnight. Shared: never change it."""
        opened = _opened(self.publication.key, self.settings, self.publication)
        return opened.frame(sql, {**self.values, **(extra or {})})

    def made(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, kept for all sessions; the key says all that it depends on beside the publication shown."""
        opened = _opened(self.publication.key, self.settings, self.publication)
        return opened.made(key, make)


def to_frame(rows: pa.Table) -> pd.DataFrame:
    """Arrow rows in pandas; dates become timestamps, as charts and gap detection need them."""
    frame: pd.DataFrame = rows.to_pandas(date_as_object=False)
    return frame


def answer(settings: Settings, publication: Publication, sql: str, values: Values) -> pa.Table:
    """The rows of a query at a publication, cached across sessions.

    Raises:
        UnavailableError: the data cannot be read.
    """
    return _opened(publication.key, settings, publication).rows(sql, values)


def members(settings: Settings, publication: Publication) -> tuple[Member, ...]:
    """The projects with their repositories and packages, sorted."""
    rows = answer(settings, publication, query("members"), {}).to_pylist()
    return tuple((row["project"], row["kind"], row["name"]) for row in rows)


def earliest(settings: Settings, publication: Publication) -> date:
    """The first date with any data."""
    first = answer(settings, publication, query("earliest"), {}).column("first")[0].as_py()
    return first if isinstance(first, date) else publication.as_of


def keep(view: View) -> None:
    """Hand the view to the page, which runs next in this session."""
    st.session_state[_KEY] = view


def current() -> View:
    """The view that app.py made for this run of the session."""
    return cast("View", st.session_state[_KEY])


def now() -> datetime:
    return datetime.now(UTC)
