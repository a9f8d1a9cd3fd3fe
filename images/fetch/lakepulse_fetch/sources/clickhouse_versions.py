"""Daily downloads by version from ClickHouse's public copy of PyPI's log, the data of ClickPy.

Off unless CLICKHOUSE_URL is set. The public server truncates a result at 10,000 rows without an error,
so days are requested in spans that stay below that, and a span that reaches it is halved.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
from pydantic import Field

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse_fetch.answers import json_object
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import Source, Visit

_HEADERS = {"x-clickhouse-user": "demo"}  # the public server's read-only user, without a password

_FIRST = """
SELECT min(date) AS first FROM pypi.pypi_downloads_per_day_by_version
WHERE project = {project:String} FORMAT JSON
"""
_ROWS = """
SELECT date, version, toUInt32(sum(count)) AS downloads FROM pypi.pypi_downloads_per_day_by_version
WHERE project = {project:String} AND date BETWEEN {first:Date} AND {last:Date}
GROUP BY date, version ORDER BY date, version FORMAT JSON
"""
_MOST_ROWS = 10_000
_SPAN_DAYS = 365
_REVISED_DAYS = 10  # recent days are corrected for a while


class _State(ScopeState):
    """`next_day` is the first day not requested yet; `digests` tell whether a recent day changed."""

    next_day: date | None = None
    digests: dict[date, str] = Field(default_factory=dict)
    last_event_at: datetime | None = None


def _rows(body: bytes, headers: httpx.Headers, url: str) -> list[dict[str, Any]]:
    document = json_object(body, headers, url)
    rows = document.get("data")
    if not isinstance(rows, list) or document.get("rows") != len(rows) or "exception" in document:
        raise ValueError("an incomplete result")
    return rows


def _query(visit: Visit, query: str, **parameters: object) -> list[dict[str, Any]]:
    given = {f"param_{name}": str(value) for name, value in parameters.items()}
    address = httpx.QueryParams({"query": " ".join(query.split()), "param_project": visit.scope} | given)
    answer = visit.get(f"/?{address}", parse=_rows)
    if answer.status != 200:
        raise PermanentError(f"{visit.api.name}: {answer.message}; {visit.api.advice}")
    return list(answer.document)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft, today = landing.draft, visit.settings.as_of
    first = draft.next_day
    if first is None:
        found = _query(visit, _FIRST)
        first = _day(found[0].get("first")) if found else None
        if first is None or first.year < 2000:  # ClickHouse's minimum of nothing is 1970-01-01
            visit.complete(landing)
            return
    # After a visit that was cut short too: what it read may have been corrected since.
    day = first - timedelta(days=_REVISED_DAYS if draft.next_day else 0)
    span = _SPAN_DAYS
    while day < today:
        last = min(day + timedelta(days=span - 1), today - timedelta(days=1))
        rows = _query(visit, _ROWS, first=day, last=last)
        if len(rows) >= _MOST_ROWS:
            if last == day:
                raise PermanentError(
                    f"{visit.api.name}: {visit.scope} has {len(rows)} versions on {day}, more than the server returns"
                )
            span = max(1, ((last - day).days + 1) // 2)
            continue
        after = last + timedelta(days=1)

        def note(next_day: date = after) -> None:
            draft.next_day = next_day

        landing.add(_changed(draft, rows, today), note)
        visit.progress(f"{visit.source.name} {visit.scope}: {last}")
        day = after
    visit.complete(landing)


def _changed(draft: _State, rows: list[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    """The rows of those days that are new or revised."""
    days: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        day = _day(row.get("date"))
        if day is None:
            raise TemporaryError(f"clickhouse: {row.get('date')!r} is not a date; run again later")
        days.setdefault(day, []).append(row)
    kept: list[dict[str, Any]] = []
    for day, found in sorted(days.items()):
        digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
        if draft.digests.get(day) != digest:
            kept += found
            draft.digests[day] = digest
        moment = datetime.combine(day, time(), UTC)
        draft.last_event_at = max(moment, draft.last_event_at or moment)
    oldest = today - timedelta(days=2 * _REVISED_DAYS)
    draft.digests = {day: digest for day, digest in draft.digests.items() if day >= oldest}
    return kept


SOURCES = (
    Source(
        "clickhouse_versions",
        _visit,
        _State,
        headers=_HEADERS,
        is_configured=lambda settings: bool(settings.clickhouse_url),
    ),
)
