"""The documents of the JSON API, and the OpenAPI file that follows from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

VERSION = "v1"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Publication(_Document):
    """The publication that a document is made of."""

    run_id: str
    as_of: date
    published_at: datetime = Field(description="UTC")
    is_demo: bool = Field(description="the data is invented")


class ProjectLink(_Document):
    """A project and where its files are, as paths from the site's root."""

    slug: str
    name: str
    project: str
    news: str
    releases: str
    feed: str


class Meaning(_Document):
    """What a figure means: a row of `dim_figures`."""

    figure: str
    title: str
    question: str
    unit: str
    better: str
    definition: str
    link: str
    window_days: int
    sources: list[str]


class Index(_Document):
    """Projects and figures of the site."""

    publication: Publication
    projects: list[ProjectLink]
    figures: list[Meaning]


class FigureNow(_Document):
    """A figure in the newest week. Without a value, `reason` says why; `partial` says what is missing."""

    title: str
    value: float | None
    n: int = Field(description="events or days behind the value")
    status: str = Field(pattern="^(known|partial|unknown|none)$")
    reason: str | None
    text: str = Field(description="the value as people read it")
    before: float | None = Field(description="four weeks earlier")
    change_percent: float | None
    series: str
    badge: str = Field(description="an endpoint of shields.io")
    badge_svg: str
    chart: str


class Project(_Document):
    """A project today."""

    publication: Publication
    slug: str
    name: str
    members: list[str] = Field(description="repositories and packages")
    state: str | None
    sentence: str | None
    figures: dict[str, FigureNow]


class Week(_Document):
    """A figure in the week that begins with this Monday."""

    week: date
    value: float | None
    n: int
    status: str
    reason: str | None


class Series(_Document):
    """A figure of a project by week, the oldest first."""

    publication: Publication
    project: str
    meaning: Meaning
    weeks: list[Week]


class Event(_Document):
    """Something that happened."""

    kind: str
    happened_on: date
    scope: str
    subject: str
    value: float | None
    usual: float | None
    text: str


class News(_Document):
    """What happened to a project in the last four weeks, the newest first."""

    publication: Publication
    project: str
    events: list[Event]


class Release(_Document):
    """A final version."""

    version: str
    released_at: datetime = Field(description="UTC")
    is_on_pypi: bool
    is_on_github: bool


class Releases(_Document):
    """The final versions of a project, the newest first."""

    publication: Publication
    project: str
    releases: list[Release]


class Badge(BaseModel):
    """An endpoint of shields.io."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_version: int = Field(1, alias="schemaVersion")
    label: str
    message: str
    color: str
    cache_seconds: int = Field(3600, alias="cacheSeconds")


PATHS: dict[str, tuple[str, type[BaseModel]]] = {
    f"/api/{VERSION}/index.json": ("Projects and figures", Index),
    f"/api/{VERSION}/projects/{{project}}/project.json": ("A project today", Project),
    f"/api/{VERSION}/projects/{{project}}/news.json": ("What happened to a project", News),
    f"/api/{VERSION}/projects/{{project}}/releases.json": ("Final versions of a project", Releases),
    f"/api/{VERSION}/projects/{{project}}/figures/{{figure}}.json": ("A figure by week", Series),
    "/badges/{project}/{figure}.json": ("A badge as an endpoint of shields.io", Badge),
}
"""Address -> what it answers."""

PICTURES = {
    "/badges/{project}/{figure}.svg": ("A badge", "image/svg+xml"),
    "/charts/{project}/{figure}.svg": ("A chart of two years", "image/svg+xml"),
    "/feeds/{project}.xml": ("What changed, as an Atom feed", "application/atom+xml"),
}
"""Address -> what lies there and its media type."""


def openapi(address: str | None) -> dict[str, Any]:
    """The OpenAPI 3.1 description of the site; `address` is where it is served, if that is known."""
    models = [(model, "serialization") for _, model in PATHS.values()]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    contents: dict[str, tuple[str, str, dict[str, Any]]] = {
        path: (summary, "application/json", {"$ref": f"#/components/schemas/{model.__name__}"})
        for path, (summary, model) in PATHS.items()
    }
    contents |= {path: (summary, media, {"type": "string"}) for path, (summary, media) in PICTURES.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "lakepulse", "version": VERSION, "description": "Vital signs of open lakehouse projects, as files."},
        "servers": [{"url": address or "."}],
        "paths": {path: {"get": _operation(path, *content)} for path, content in contents.items()},
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(path: str, summary: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in ("project", "figure") if f"{{{name}}}" in path]
    return {
        "summary": summary,
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "responses": {"200": {"description": summary, "content": {media: {"schema": schema}}}},
    }
