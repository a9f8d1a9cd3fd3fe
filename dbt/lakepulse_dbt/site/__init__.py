"""Write the newest publication as a static site: a JSON API, badges, charts and feeds at addresses that stay."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel

from lakepulse.data_dir import look_into_data_dir
from lakepulse.figures import Figure, meanings
from lakepulse.news import sentence
from lakepulse.outcome import PermanentError
from lakepulse.publications import Publication, newest_publication
from lakepulse.settings import Settings
from lakepulse_dbt.figures import figures, rows
from lakepulse_dbt.folders import checked_address, json_bytes, whole_folder, write_json
from lakepulse_dbt.site import documents
from lakepulse_dbt.site.documents import (
    VERSION,
    Event,
    FigureNow,
    Index,
    Meaning,
    News,
    Project,
    ProjectLink,
    Release,
    Releases,
    Series,
    Week,
)
from lakepulse_dbt.site.feed import feed
from lakepulse_dbt.site.pictures import badge, badge_document, chart
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

log = structlog.get_logger()

CARD = "site.json"

Row = Mapping[str, Any]


def site(settings: Settings, out: Path, address: str | None) -> None:
    """Write the site of the newest publication into `out`; `address` is where it is served, for feeds and OpenAPI.

    Raises:
        PermanentError: nothing is published yet, `address` is not one, or `out` holds something else.
    """
    address = None if address is None else checked_address(address)
    look_into_data_dir(settings)
    with catalog_errors():
        catalog = open_catalog(settings)
        newest = newest_publication(catalog, settings)
        found = figures(catalog, newest)
        names = ("dim_figures", "fct_figures", "dim_projects", "fct_project_state", "fct_news", "fct_project_releases")
        tables = {name: rows(catalog, newest, name) for name in names}
    writer = _Site(newest, found, tables, address)
    with whole_folder(out, CARD) as partial:
        for path, content in writer.files().items():
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            (partial / path).write_bytes(content)
        write_json(partial / CARD, writer.publication.model_dump(mode="json"))
    log.info("the site is written", folder=str(out), projects=len(writer.slugs))


class _Site:
    def __init__(
        self, newest: Publication, found: Sequence[Figure], tables: Mapping[str, Sequence[Row]], address: str | None
    ) -> None:
        self.newest = newest
        self.address = address
        self.tables = tables
        self.publication = documents.Publication.model_validate(newest, from_attributes=True)
        self.slugs = slugs(sorted({row["project"] for row in tables["dim_projects"]}))
        self.figures: dict[str, list[Figure]] = defaultdict(list)
        for figure in found:
            self.figures[figure.scope].append(figure)
        self.series: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in sorted(tables["fct_figures"], key=itemgetter("week")):
            if row["scope_kind"] == "project":
                self.series[row["scope"], row["figure"]].append(row)
        self.meanings = {
            name: Meaning.model_validate(meaning, from_attributes=True)
            for name, meaning in meanings(tables["dim_figures"]).items()
        }

    def files(self) -> dict[str, bytes]:
        """Path -> content of every file but the card."""
        index = Index(
            publication=self.publication,
            projects=[
                ProjectLink(
                    slug=slug,
                    name=project,
                    project=f"{_folder(slug)}/project.json",
                    news=f"{_folder(slug)}/news.json",
                    releases=f"{_folder(slug)}/releases.json",
                    feed=f"feeds/{slug}.xml",
                )
                for project, slug in self.slugs.items()
            ],
            figures=list(self.meanings.values()),
        )
        written = {f"api/{VERSION}/index.json": _json(index)}
        for project, slug in self.slugs.items():
            written |= self._project(project, slug)
        written["openapi.json"] = json_bytes(documents.openapi(self.address))
        return written

    def _project(self, project: str, slug: str) -> dict[str, bytes]:
        folder = _folder(slug)
        events = self._events(project)
        feed_path = f"feeds/{slug}.xml"
        itself = f"{self.address}/{feed_path}" if self.address else f"{slug}.xml"
        written = {
            f"{folder}/project.json": _json(self._today(project, slug)),
            f"{folder}/news.json": _json(News(publication=self.publication, project=project, events=events)),
            f"{folder}/releases.json": _json(self._releases(project)),
            feed_path: feed(project, self.newest, events, itself),
        }
        note = f"{'demo data' if self.newest.is_demo else 'as of'} {self.newest.as_of}"
        for figure in self.figures[project]:
            name = figure.meaning.figure
            weeks = self.series[project, name]
            series = Series(
                publication=self.publication,
                project=project,
                meaning=self.meanings[name],
                weeks=[Week(**{key: row[key] for key in Week.model_fields}) for row in weeks],
            )
            now = _links(slug, name)
            written |= {
                now["series"]: _json(series),
                now["badge"]: _json(badge_document(figure)),
                now["badge_svg"]: badge(figure, f"{project}, {note}").encode(),
                now["chart"]: chart(figure.meaning, project, weeks, note).encode(),
            }
        return written

    def _today(self, project: str, slug: str) -> Project:
        state = next((row for row in self.tables["fct_project_state"] if row["project"] == project), None)
        return Project(
            publication=self.publication,
            slug=slug,
            name=project,
            members=sorted(row["name"] for row in self.tables["dim_projects"] if row["project"] == project),
            state=None if state is None else state["state"],
            sentence=None if state is None else state["sentence"],
            figures={
                figure.meaning.figure: FigureNow(
                    title=figure.meaning.title,
                    value=figure.value,
                    n=figure.n,
                    status=figure.status,
                    reason=figure.reason,
                    text=figure.text,
                    before=figure.month_before,
                    change_percent=figure.change,
                    **_links(slug, figure.meaning.figure),
                )
                for figure in self.figures[project]
            },
        )

    def _events(self, project: str) -> list[Event]:
        own = [row for row in self.tables["fct_news"] if row["project"] == project]
        own.sort(key=itemgetter("scope", "kind", "subject"))
        own.sort(key=itemgetter("happened_on"), reverse=True)
        keys = Event.model_fields.keys() - {"text"}
        return [Event(**{key: row[key] for key in keys}, text=sentence(row)) for row in own]

    def _releases(self, project: str) -> documents.Releases:
        own = [row for row in self.tables["fct_project_releases"] if row["project"] == project]
        own.sort(key=itemgetter("version"))
        own.sort(key=itemgetter("released_at"), reverse=True)
        found = [Release(**{key: row[key] for key in Release.model_fields}) for row in own]
        return Releases(publication=self.publication, project=project, releases=found)


def slugs(projects: Sequence[str]) -> dict[str, str]:
    """Project -> its part of every address: letters, digits and hyphens.

    It follows from the name alone, so that no other project changes it: words of plain letters and digits are
    joined by hyphens, and any other name also gets the beginning of its hash.

    Raises:
        PermanentError: two names have the same.
    """
    found: dict[str, str] = {}
    for project in projects:
        name = project.casefold()
        plain = re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:60] or "project"
        is_plain = len(name) <= 60 and re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", name)
        found[project] = plain if is_plain else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    owners: dict[str, str] = {}
    for project, slug in found.items():
        if owner := owners.get(slug):
            raise PermanentError(f"projects {owner!r} and {project!r} would have the same address; rename one")
        owners[slug] = project
    return found


def _folder(slug: str) -> str:
    return f"api/{VERSION}/projects/{slug}"


def _links(slug: str, figure: str) -> dict[str, str]:
    return {
        "series": f"{_folder(slug)}/figures/{figure}.json",
        "badge": f"badges/{slug}/{figure}.json",
        "badge_svg": f"badges/{slug}/{figure}.svg",
        "chart": f"charts/{slug}/{figure}.svg",
    }


def _json(document: BaseModel) -> bytes:
    return json_bytes(document.model_dump(mode="json", by_alias=True))
