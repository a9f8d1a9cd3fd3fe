"""Daily downloads of a package from pypistats, which serves the last 180 days and corrects them.

So each visit fetches the whole window, and lands it if it has changed.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

import httpx

from lakepulse.outcome import TemporaryError
from lakepulse_fetch.answers import json_object
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import GoneError, Source, Visit


class _State(ScopeState):
    etag: str | None = None
    digest: str | None = None
    last_event_at: datetime | None = None


def _visit(visit: Visit, kind: str) -> None:
    landing = visit.open(_State)
    draft = landing.draft
    answer = visit.get(f"/packages/{visit.scope}/{kind}", etag=draft.etag, parse=_rows)
    if answer.is_gone:
        raise GoneError(f"{answer.status}: pypistats has no package {visit.scope!r}")
    if answer.status == 200:
        rows = answer.document
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
        draft.etag = answer.etag
        if digest != draft.digest:
            draft.digest = digest
            draft.last_event_at = _last_day([row.get("date") for row in rows if isinstance(row, dict)], visit)
            landing.add(rows)
    elif answer.status != 304:
        raise TemporaryError(f"{visit.api.name}: {answer.message} for {visit.scope}; run again later")
    visit.complete(landing)


def _rows(body: bytes, headers: httpx.Headers, url: str) -> list[Any]:
    rows = json_object(body, headers, url).get("data")
    if not isinstance(rows, list):
        raise ValueError("no list 'data' in the answer")  # noqa: TRY004  (bad data, no bug)
    return rows


def _last_day(values: list[object], visit: Visit) -> datetime | None:
    days = [value for value in values if isinstance(value, str)]
    try:
        last = max((date.fromisoformat(value) for value in days), default=None)
    except ValueError:
        return None  # the loader quarantines what is not a date
    today = visit.clock.now().date()
    return datetime.combine(min(last, today), time(), UTC) if last else None


SOURCES = tuple(
    Source(f"pypistats_{kind}", partial(_visit, kind=kind), _State) for kind in ("overall", "python_minor", "system")
)
