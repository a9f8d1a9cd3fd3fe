"""Releases. The list has no order by update and is short, so every run lists it in full.

GitHub sorts it by the time of the tag's commit, so a release of an old tag is on the last page and changes no other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lakepulse_fetch.lists import FullListing
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import Source, Visit, moment, newest


class _State(ScopeState):
    """`listed_at`: when the last reading of the list began that reached its end."""

    listed_at: datetime | None = None
    covered_from: datetime | None = None
    covered_to: datetime | None = None
    last_event_at: datetime | None = None
    has_keys_due: bool = True


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft = landing.draft

    def see(items: list[Any]) -> None:
        created = [moment(item.get("created_at")) for item in items if isinstance(item, dict)]
        published = [moment(item.get("published_at")) for item in items if isinstance(item, dict)]
        draft.last_event_at = newest([*published, draft.last_event_at], visit.clock.now())
        draft.covered_to = draft.listed_at
        if draft.listed_at is None:
            draft.covered_from = min((time for time in (*created, draft.covered_from) if time), default=None)
        draft.has_keys_due = True

    url = f"/repositories/{visit.repository().id}/releases?per_page={visit.page_size}"
    listing = FullListing(visit, url, "id", has_numbers=True)
    is_whole = listing.read(landing, see=see)
    draft.covered_to = draft.listed_at
    if is_whole:
        draft.listed_at, draft.covered_from, draft.covered_to = landing.started_at, None, None
    keys = listing.keys() if is_whole and draft.has_keys_due else None
    draft.has_keys_due = draft.has_keys_due and not is_whole
    visit.complete(landing, keys)


SOURCES = (Source("github_releases", _visit, _State, rank=1),)
