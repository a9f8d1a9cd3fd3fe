"""A package's files on PyPI: versions, upload times, what was yanked and why; and the project's status (PEP 792)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
from pypi_simple import (
    ACCEPT_JSON_PREFERRED,
    DistributionPackage,
    ProjectPage,
    RepositoryPage,
    UnsupportedRepoVersionError,
)

from lakepulse.outcome import PermanentError, TemporaryError, one_line
from lakepulse_fetch.answers import json_object
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import GoneError, Source, Visit, moment, newest

_QUARANTINED = "quarantined"


class _State(ScopeState):
    """`has_status` is false in a state of a version that did not read the status."""

    has_status: bool = False
    etag: str | None = None
    digest: str | None = None
    last_event_at: datetime | None = None
    upstream_status: str | None = None
    status_reason: str | None = None


class _Page(NamedTuple):
    rows: list[dict[str, Any]]
    status: str | None
    reason: str | None


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


def _text(value: object) -> str | None:
    return one_line(value)[:300] if isinstance(value, str) and value.strip() else None


def _page(body: bytes, headers: httpx.Headers, url: str) -> _Page:
    """A project page in JSON, or in HTML, which is all that some mirrors have.

    Raises:
        ValueError: it is not a project page.
    """
    try:
        if body.lstrip()[:1] != b"<":
            return _json_page(json_object(body, headers, url), url)
        page = RepositoryPage.from_html(body, url)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a project page: {error!r}") from error
    package = url.rstrip("/").rsplit("/", 1)[-1]
    # HTML has no standard for the time of upload; this attribute is what mirrors add.
    rows = [
        _row(DistributionPackage.from_link(link, package), moment(link.get_str_attrib("data-upload-time")))
        for link in page.links
    ]
    status, reason = (_text(page.pypi_meta.get(name, [None])[0]) for name in ("project-status", "project-status-reason"))
    if status is None and not any(row["version"] for row in rows):
        raise ValueError("HTML that is not a project page")
    return _Page(rows, status, reason)


def _json_page(document: dict[str, Any], url: str) -> _Page:
    # Taken out, since pypi-simple rejects the whole page for a status that it does not know.
    status = document.pop("project-status", None) or {}
    page = ProjectPage.from_json_data(document, url)
    rows = [_row(file, file.upload_time) for file in page.packages]
    return _Page(rows, _text(status.get("status")), _text(status.get("reason")))


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft = landing.draft
    try:
        answer = visit.get(f"/{visit.scope}/", etag=draft.etag if draft.has_status else None, parse=_page)
    except UnsupportedRepoVersionError as error:
        raise PermanentError(f"{visit.api.name}: {error}; upgrade lakepulse") from error
    keys = None
    if answer.is_gone:
        raise GoneError(f"{answer.status}: the index has no package {visit.scope!r}")
    if answer.status == 200:
        rows, status, reason = answer.document
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
        # The index withholds the files of a quarantined project: they are not deleted.
        is_withheld = status == _QUARANTINED and not rows
        if digest != draft.digest and not is_withheld:
            keys = [row["filename"] for row in rows]
            landing.add(rows)
        # After the page: a visit that resumes it must see the change, and write the keys.
        draft.etag, draft.has_status = answer.etag, True
        draft.upstream_status, draft.status_reason = status, reason
        if not is_withheld:
            draft.digest = digest
            draft.last_event_at = newest((moment(row["uploaded_at"]) for row in rows), visit.clock.now())
    elif answer.status != 304:
        raise TemporaryError(f"{visit.api.name}: {answer.message} for {visit.scope}; run again later")
    visit.complete(landing, keys, status_detail=draft.status_reason)


SOURCES = (Source("pypi_releases", _visit, _State, headers={"accept": ACCEPT_JSON_PREFERRED}),)
