"""Two golds compared, row by row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.truth.basics import Row

GRAINS: dict[str, tuple[str, ...]] = {
    "fct_all_time_base_repo_stats": ("repo", "snapshot_date"),
    "fct_all_time_author_commits_trend": ("repo", "commit_author_date"),
    "fct_all_time_committer_commits_trend": ("repo", "commit_committer_date"),
    "fct_num_author_commits_by_repo": ("repo", "author"),
    "fct_num_committer_commits_by_repo": ("repo", "committer"),
    "fct_all_time_issues_trend": ("repo", "date"),
    "fct_last_7_days_fct_issues": ("repo", "date"),
    "fct_num_labels_per_repo": ("repo", "label"),
    "fct_num_updated_issues": ("repo", "num_days"),
    "fct_percent_change_downloads_overall": ("package", "category", "date"),
    "fct_issue_response": ("repo", "week"),
    "fct_issue_resolution": ("repo", "week"),
    "fct_issue_backlog": ("repo", "week"),
    "fct_change_requests": ("repo", "month"),
    "fct_contributor_absence_factor": ("repo", "window_days"),
    "fct_absence_factor_trend": ("repo", "month"),
    "fct_contributors": ("repo", "month"),
    "fct_first_commits": ("repo", "author"),
    "fct_releases": ("project", "source", "scope", "name"),
    "fct_project_releases": ("project", "version"),
    "fct_downloads_by_python": ("package", "date", "python_minor"),
    "fct_downloads_by_system": ("package", "date", "system"),
    "fct_downloads_by_version": ("package", "date", "version"),
    "fct_release_uplift": ("package", "version"),
    "fct_download_anomalies": ("package", "category", "date"),
    "fct_unanswered_issues": ("repo", "number"),
    "fct_open_change_requests": ("repo", "number"),
    "dim_projects": ("project", "kind", "name"),
    "dim_figures": ("figure",),
    "fct_figures": ("scope_kind", "scope", "figure", "week"),
    "fct_people": ("scope_kind", "scope", "window_days", "person"),
    "fct_project_state": ("project",),
}
"""The tables that `gold` makes, and the columns that name a row."""


@dataclass(frozen=True)
class Text:
    """Words for people: present or absent, and what they must name, in any wording."""

    is_present: bool = True
    names: tuple[str, ...] = ()

    def accepts(self, given: Any) -> bool:
        if not self.is_present:
            return given in (None, "")
        return isinstance(given, str) and bool(given.strip()) and all(name.lower() in given.lower() for name in self.names)


@dataclass(frozen=True)
class Words:
    """A set of words: an array, or text with anything between them. Only words of `compared` count."""

    words: frozenset[str]
    compared: frozenset[str]

    def accepts(self, given: Any) -> bool:
        if isinstance(given, str):
            given = "".join(letter if letter.isalnum() or letter == "_" else " " for letter in given).split()
        return self.compared.intersection(given or ()) == self.words


def differences(expected: Mapping[str, list[Row]], actual: Mapping[str, list[Row]], limit: int = 5) -> list[str]:
    """What differs between two golds, in words; empty if nothing does.

    Tables and columns that only `actual` has are ignored. Doubles are equal
    within 1e-6 relative; `actual` may hold aware times, which are compared in UTC.
    """
    found: list[str] = []
    for table, rows in expected.items():
        if table not in actual:
            found.append(f"{table}: missing")
            continue
        grain = GRAINS[table]
        wanted, given = _by_grain(rows, grain), _by_grain(actual[table], grain)
        if len(given) != len(actual[table]):
            found.append(f"{table}: {len(actual[table]) - len(given)} rows share a grain with another")
        told = [f"{table}: missing row {key}" for key in wanted.keys() - given.keys()]
        told += [f"{table}: surplus row {key}" for key in given.keys() - wanted.keys()]
        for key, row in wanted.items():
            for column, value in row.items():
                if key in given and not _equal(value, given[key].get(column)):
                    told.append(f"{table} {key}: {column} is {given[key].get(column)!r}, not {value!r}")
        found += sorted(told)[:limit]
        if len(told) > limit:
            found.append(f"{table}: {len(told) - limit} more differences")
    return found


def counted(expected: Mapping[str, list[Row]], actual: Mapping[str, list[Row]]) -> tuple[int, int, int]:
    """Expected rows, how many of them are missing or different, and how many other rows `actual` has."""
    due = lost = surplus = 0
    for table, rows in expected.items():
        wanted, given = _by_grain(rows, GRAINS[table]), _by_grain(actual[table], GRAINS[table])
        due += len(wanted)
        lost += sum(
            key not in given or not all(_equal(value, given[key].get(column)) for column, value in row.items())
            for key, row in wanted.items()
        )
        surplus += len(actual[table]) - len(wanted.keys() & given.keys())
    return due, lost, surplus


def _by_grain(rows: Iterable[Row], grain: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[column] for column in grain): row for row in rows}


def _equal(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, Text | Words):
        # Two golds of this package hold equal expectations.
        return wanted == given or wanted.accepts(given)
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    if isinstance(wanted, float) and isinstance(given, int | float):
        return math.isclose(wanted, given, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(given, datetime) and given.tzinfo is not None:
        given = given.astimezone(UTC).replace(tzinfo=None)
    return bool(wanted == given)
