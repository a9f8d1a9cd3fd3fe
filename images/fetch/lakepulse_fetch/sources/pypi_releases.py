"""A package's files on PyPI: versions, upload times, what was yanked and why."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import httpx
from pypi_simple import (
    ACCEPT_JSON_PREFERRED,
    DistributionPackage,
    ProjectPage,
    PyPISimple,
    RepositoryPage,
    UnsupportedRepoVersionError,
)

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.projects import packages_of
from lakepulse.settings import Settings
from lakepulse_fetch.client import json_object
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import GONE, GoneError, Source, Visit, moment, newest

HEADERS = {"accept": ACCEPT_JSON_PREFERRED}


class _State(ScopeState):
    etag: str | None = None
    digest: str | None = None
    last_event_at: datetime | None = None


def endpoint(settings: Settings) -> str:
    """The simple index to ask: the setting's, else the library's default."""
    with PyPISimple(settings.pypi_simple_url) if settings.pypi_simple_url else PyPISimple() as client:
        return client.endpoint


def _row(file: DistributionPackage, uploaded_at: datetime | None) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "version": file.version,
        "packagetype": file.package_type,
        "uploaded_at": uploaded_at.astimezone(UTC).isoformat() if uploaded_at else None,
        "is_yanked": file.is_yanked,
        "yanked_reason": file.yanked_reason or None,
        "requires_python": file.requires_python,
    }


def _rows(body: bytes, headers: httpx.Headers, url: str) -> list[dict[str, Any]]:
    """The files of a project page in JSON, or in the HTML that some mirrors have only.

    Raises:
        ValueError: it is no such page.
    """
    try:
        if body.lstrip()[:1] != b"<":
            page = ProjectPage.from_json_data(json_object(body, headers, url), url)
            return [_row(file, file.upload_time) for file in page.packages]
        links = RepositoryPage.from_html(body, url).links
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no project page: {error!r}") from error
    package = url.rstrip("/").rsplit("/", 1)[-1]
    # HTML has no standard for the time of upload; this attribute is what mirrors add.
    rows = [
        _row(DistributionPackage.from_link(link, package), moment(link.get_str_attrib("data-upload-time"))) for link in links
    ]
    if not any(row["version"] for row in rows):
        raise ValueError("HTML that is no project page")
    return rows


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft = landing.draft
    try:
        answer = visit.get(f"/{visit.scope}/", etag=draft.etag, parse=_rows)
    except UnsupportedRepoVersionError as error:
        raise PermanentError(f"{visit.api.name}: {error}; upgrade lakepulse") from error
    keys = None
    if answer.status in GONE:
        raise GoneError(f"{answer.status}: the index has no package {visit.scope!r}")
    if answer.status == 200:
        rows = answer.document
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
        if digest != draft.digest:
            keys = [row["filename"] for row in rows]
            landing.add(rows)
        # After the page: a visit that resumes it must see the change, and write the keys.
        draft.etag, draft.digest = answer.etag, digest
        draft.last_event_at = newest((moment(row["uploaded_at"]) for row in rows), visit.clock.now())
    elif answer.status != 304:
        raise TemporaryError(f"{visit.api.name}: {answer.message} for {visit.scope}; run again later")
    visit.complete(landing, keys, last_event_at=draft.last_event_at)


SOURCES = (Source("pypi_releases", "pypi", packages_of, _visit),)
