"""A package's files on PyPI: versions, upload times, what was yanked and why."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from pypi_simple import ACCEPT_JSON_ONLY, DistributionPackage, ProjectPage, PyPISimple, UnsupportedRepoVersionError

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.projects import packages_of
from lakepulse.settings import Settings
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import GONE, GoneError, Source, Visit, newest

HEADERS = {"accept": ACCEPT_JSON_ONLY}


class _State(ScopeState):
    etag: str | None = None
    digest: str | None = None
    last_event_at: datetime | None = None


def endpoint(settings: Settings) -> str:
    """The simple index to ask: the setting's, else the library's default."""
    with PyPISimple(settings.pypi_simple_url) if settings.pypi_simple_url else PyPISimple() as client:
        return client.endpoint


def _row(file: DistributionPackage) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "version": file.version,
        "packagetype": file.package_type,
        "uploaded_at": file.upload_time.astimezone(UTC).isoformat() if file.upload_time else None,
        "is_yanked": file.is_yanked,
        "yanked_reason": file.yanked_reason or None,
        "requires_python": file.requires_python,
    }


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft = landing.draft
    answer = visit.get(f"/{visit.scope}/", etag=draft.etag)
    keys = None
    if answer.status in GONE:
        raise GoneError(f"{answer.status}: the index has no package {visit.scope!r}")
    if answer.status == 200:
        try:
            page = ProjectPage.from_json_data(answer.document, answer.url)
        except UnsupportedRepoVersionError as error:
            raise PermanentError(f"{visit.api.name}: {error}; upgrade lakepulse") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TemporaryError(f"{visit.api.name}: no project page for {visit.scope}: {error!r}; run again later") from error
        rows = [_row(file) for file in page.packages]
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
        draft.etag = answer.etag
        if digest != draft.digest:
            draft.digest = digest
            draft.last_event_at = newest((file.upload_time for file in page.packages), visit.clock.now())
            keys = [row["filename"] for row in rows]
            landing.add(rows)
    elif answer.status != 304:
        raise TemporaryError(f"{visit.api.name}: {answer.message} for {visit.scope}; run again later")
    visit.complete(landing, keys, last_event_at=draft.last_event_at)


SOURCES = (Source("pypi_releases", "pypi", packages_of, _visit),)
