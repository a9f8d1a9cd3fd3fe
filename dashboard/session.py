"""What every page works with: the publication, the selection, and cached answers from the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

import pandas as pd
import pyarrow as pa
import streamlit as st

from dashboard.backends import Backend, Snapshot, Values, open_backend
from dashboard.filters import Member, Selection
from dashboard.publications import Publication, Run, latest_runs, newest_first
from lakepulse.names import PUBLICATIONS, RUNS
from lakepulse.settings import Settings

_KEY = "lakepulse-view"
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
    return newest_first(_backend(_settings).current(PUBLICATIONS))


@st.cache_resource(ttl=20, show_spinner=False)
def _runs(_settings: Settings) -> list[Run]:
    return latest_runs(_backend(_settings).current(RUNS))


@st.cache_resource(max_entries=3, show_spinner=False)
def _snapshot(key: str, _settings: Settings, _publication: Publication) -> Snapshot:  # noqa: ARG001 - the key is for the cache
    return _backend(_settings).open(_publication)


@st.cache_resource(max_entries=300, show_spinner=False)
def _rows(
    key: str,  # noqa: ARG001 - the key is for the cache
    sql: str,
    values: tuple[tuple[str, object], ...],
    _snapshot: Snapshot,
) -> pa.Table:
    return _snapshot.run(sql, cast("Values", dict(values)))


@st.cache_resource(max_entries=300, show_spinner=False)
def _frame(
    key: str,  # noqa: ARG001 - the key is for the cache
    sql: str,  # noqa: ARG001 - the key is for the cache
    values: tuple[tuple[str, object], ...],  # noqa: ARG001 - the key is for the cache
    _answer: pa.Table,
) -> pd.DataFrame:
    return to_frame(_answer)


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
            "last": chosen.last,
            "grain": chosen.grain,
            "as_of": self.publication.as_of,
        }

    @property
    def is_newest(self) -> bool:
        return self.publication.key == self.newest.key

    def arrow(self, sql: str, extra: Values | None = None, publication: Publication | None = None) -> pa.Table:
        """Rows at the shown publication, or at another; `extra` are further values."""
        return answer(self.settings, publication or self.publication, sql, {**self.values, **(extra or {})})

    def frame(self, sql: str, extra: Values | None = None) -> pd.DataFrame:
        """Rows at the shown publication as pandas has them, dates as timestamps at midnight; shared, so never changed."""
        named = _named(sql, {**self.values, **(extra or {})})
        return _frame(self.publication.key, sql, named, self.arrow(sql, extra))


def to_frame(rows: pa.Table) -> pd.DataFrame:
    """Arrow rows in pandas; dates become timestamps, which charts and gap filling need."""
    frame: pd.DataFrame = rows.to_pandas(date_as_object=False)
    return frame


def answer(settings: Settings, publication: Publication, sql: str, values: Values) -> pa.Table:
    """The rows of a query at a publication, from the cache if any session asked before.

    Raises:
        UnavailableError: the engine cannot read the data.
    """
    return _rows(publication.key, sql, _named(sql, values), _snapshot(publication.key, settings, publication))


def _named(sql: str, values: Values) -> tuple[tuple[str, object], ...]:
    """Those of the values that the query names."""
    return tuple(sorted((name, value) for name, value in values.items() if f":{name}" in sql))


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
