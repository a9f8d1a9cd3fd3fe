"""What the tools answer, typed, and the receipt that each answer carries."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Publication(_Document):
    """The publication that an answer is made of."""

    run_id: str
    as_of: date
    published_at: datetime = Field(description="UTC")
    is_demo: bool = Field(description="the data is invented")
    code_version: str


class Query(_Document):
    """A query on the publication's tables, as DuckDB ran it, with its parameters."""

    sql: str
    parameters: dict[str, Any]


class Coverage(_Document):
    """How far one source of a repository or package is fetched."""

    source: str
    scope: str
    status: str | None
    detail: str | None
    is_stale: bool | None
    last_fetched_at: datetime | None
    covered_from: datetime | None
    covered_to: datetime | None


class Break(_Document):
    """A known change in how a source counts."""

    id: str
    source: str
    scope: str | None
    from_date: date
    to_date: date | None
    what_changed: str
    effect: str | None
    link: str | None


class Receipt(_Document):
    """Where an answer comes from: enough to check it, and to get it again with `replay`."""

    tool: str
    arguments: dict[str, Any]
    publication: Publication
    snapshots: dict[str, str] = Field(description="gold table -> Iceberg snapshot id, as text since it exceeds JSON's numbers")
    queries: list[Query]
    definition: str | None = Field(description="what the figure means")
    status: str = Field(description="known, or partial with what is missing as the reason")
    reason: str | None
    coverage: list[Coverage]
    known_breaks: list[Break]
    result_sha256: str = Field(description="of the result as JSON with sorted keys")


Result = TypeVar("Result", bound=BaseModel)


class Answer(_Document, Generic[Result]):
    """A result and its receipt."""

    result: Result
    receipt: Receipt


class Project(_Document):
    """A project that is watched."""

    project: str
    members: list[str] = Field(description="repositories and packages")
    state: str | None
    sentence: str | None


class Projects(_Document):
    """All projects."""

    projects: list[Project]


class Figure(_Document):
    """What a figure means."""

    figure: str
    title: str
    question: str
    unit: str
    better: str
    definition: str
    link: str
    window_days: int
    scope_kinds: list[str]
    sources: list[str]


class Figures(_Document):
    """All figures."""

    figures: list[Figure]


class Week(_Document):
    """A figure in the week that begins with this Monday; without a value the reason says why."""

    week: date
    value: float | None
    n: int = Field(description="events or days behind the value")
    status: str
    reason: str | None
    text: str = Field(description="the value as people read it")


class FigureValues(_Document):
    """A figure of a project by week."""

    project: str
    figure: str
    unit: str
    weeks: list[Week]


class ComparedProject(_Document):
    """The figure of one project; without a value the reason says why."""

    project: str
    value: float | None
    n: int
    status: str
    reason: str | None
    text: str


class Comparison(_Document):
    """A figure of several projects in one week, the largest first."""

    figure: str
    unit: str
    better: str
    week: date
    projects: list[ComparedProject]


class Person(_Document):
    """Somebody who committed to a project."""

    person: str
    commits: int
    share: float | None
    rank: int | None
    carries: bool = Field(description="one of the fewest people who made half of the commits")
    is_new: bool | None = Field(description="first commit within the window; null where the history is incomplete")
    first_commit_at: datetime
    last_commit_at: datetime


class People(_Document):
    """Who made a project's commits, the busiest first."""

    project: str
    window_days: int = Field(description="0 is all time")
    people: list[Person]


class Release(_Document):
    """A final version."""

    version: str
    released_at: datetime = Field(description="UTC")
    is_on_pypi: bool
    is_on_github: bool


class Releases(_Document):
    """The final versions of a project, the newest first."""

    project: str
    releases: list[Release]


class Event(_Document):
    """Something that happened."""

    project: str
    kind: str
    happened_on: date
    scope: str
    subject: str
    text: str


class Changes(_Document):
    """What happened since a date, the newest first."""

    since: date
    events: list[Event]


class Explanation(_Document):
    """What a figure means, and what is known to disturb it."""

    figure: Figure
    known_breaks: list[Break]


class Freshness(_Document):
    """How far the sources of a project are fetched."""

    project: str
    sources: list[Coverage]


class Replayed(_Document):
    """A receipt's answer, read again from the same snapshots."""

    is_identical: bool
    result: dict[str, Any]
    receipt: Receipt


def digest(result: BaseModel) -> str:
    """SHA-256 of a result as JSON with sorted keys."""
    text = json.dumps(result.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
