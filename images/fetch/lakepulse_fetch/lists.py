"""Lists of items that change: walked newest update first, and relisted in full now and then.

**The walk.** Page 1 of the list, newest update first, is requested with its last ETag: 304 means
that nothing is new, and costs nothing. Otherwise pages are followed by their Link until one ends
before the watermark. An item that changes meanwhile moves to the front, where the next walk
finds it, so nothing is missed. No `since` is ever sent, so the URL of page 1 stays the same.

**Holes.** What a walk has not reached yet is a hole: where to continue, and the watermark that ends
it (none: the end of the list). A walk that is cut short, by a quota or by LOOKBACK, leaves a hole
for a later run; a kill leaves the same thing in the progress of its landing.

**The sweep.** Deleted and transferred items are on no such list. So a full listing in an order
that does not change requests each page with the ETag of its last sweep, lands the pages that
changed, and writes the keys of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, Field

from lakepulse_fetch.answers import Answer
from lakepulse_fetch.landing_writer import Key, Landing
from lakepulse_fetch.limits import QuotaExhaustedError
from lakepulse_fetch.pages import grown, next_number, page_number, page_size, previous
from lakepulse_fetch.state import ScopeState, read_model, state_path, write_model
from lakepulse_fetch.visit import Visit, days_between, moment, newest

log = structlog.get_logger()

OVERLAP = timedelta(hours=1)
"""How far before the newest update a walk goes: an update may become visible late."""

_SWEEP_PASSES = 5


class Probe(BaseModel):
    """A page whose ETag tells whether anything is new."""

    model_config = ConfigDict(extra="forbid")
    url: str
    etag: str | None = None


class Hole(BaseModel):
    """A stretch of a list still to walk, from the page `next` down to the update time `until`.

    Without `until` it goes to the end of the list. `last` and `etag` are the page before, `oldest` is the
    update time of its last item.
    """

    model_config = ConfigDict(extra="forbid")
    next: str
    until: datetime | None = None
    last: str | None = None
    etag: str | None = None
    oldest: datetime | None = None


class ListState(ScopeState):
    """`holes` are newest first; `is_changed`: something was new since the last sweep."""

    probe: Probe | None = None
    watermark: datetime | None = None
    last_event_at: datetime | None = None
    holes: list[Hole] = Field(default_factory=list)
    swept_on: date | None = None
    is_changed: bool = False

    @property
    def covered_from(self) -> datetime | None:
        """Since when updates are complete; None: from the beginning."""
        return max((hole.oldest for hole in self.holes if hole.oldest and not hole.until), default=None)

    @property
    def covered_to(self) -> datetime | None:
        """Until when they are, where a hole is in the newest part; None: there is none."""
        return min((hole.until for hole in self.holes if hole.until), default=None)


class PageMark(BaseModel):
    """A page of a full listing, by the requested URL, as last seen."""

    model_config = ConfigDict(extra="forbid")
    url: str
    etag: str | None
    next: str | None
    keys: list[Key]


class ListWalk:
    """Visits of one list.

    `path` with its query is the list newest update first, `stable` the same in an order that
    does not change (None: the list is not swept). `key` names the field that identifies an item.
    """

    def __init__(self, visit: Visit, path: str, stable: str | None, key: str) -> None:
        self.visit, self.key = visit, key
        self.path = f"{path}&per_page={visit.page_size}"
        self.stable = f"{stable}&per_page={visit.page_size}" if stable else None

    def run(self) -> None:
        """Complete what an earlier visit left, then fetch what is new, then sweep if it is due."""
        landing = self.visit.open(ListState)
        if landing.is_resumed:
            self._walk(landing)
            self.visit.complete_resumed(landing)
            landing = self.visit.open(ListState)
        self._probe(landing)
        self._walk(landing)
        self.visit.complete(landing, self._sweep(landing))

    # --- what is new

    def _probe(self, landing: Landing[ListState]) -> None:
        draft = landing.draft
        probe = draft.probe or Probe(url=self.path)
        began = self.visit.clock.now()
        answer = self.visit.get_page(probe.url, probe.etag)
        if answer.status == 304:
            return
        items = self.visit.items(answer, is_first=True)
        began = min(began, answer.date or began)
        hole = Hole(next=probe.url, until=draft.watermark)

        def note() -> None:
            times = updates(items)
            # News would follow a page that is full of events in the future, and leave it unchanged.
            is_telling = not times or times[-1] <= began
            draft.probe = Probe(url=answer.url, etag=answer.etag if is_telling else None)
            draft.is_changed = True
            self._advance(draft, hole, answer, items)
            draft.last_event_at = newest([*times, draft.last_event_at], began)
            latest = max(times, default=None)
            draft.watermark = min(latest, began) - OVERLAP if latest else draft.watermark

        draft.holes.insert(0, hole)
        landing.add(items, note)

    def _advance(self, draft: ListState, hole: Hole, answer: Answer, items: list[Any]) -> None:
        """Move a hole past a page; drop it if nothing of it is left."""
        times = updates(items)
        hole.last, hole.etag = answer.url, answer.etag
        hole.oldest = times[-1] if times else hole.oldest
        if answer.next_url is None or (hole.until and hole.oldest and hole.oldest < hole.until):
            draft.holes.remove(hole)
        else:
            hole.next = grown(answer.next_url, self.visit.page_size)

    # --- what is missing

    def _walk(self, landing: Landing[ListState]) -> None:
        """Close the holes, newest first, as far as LOOKBACK and the quota allow."""
        draft, floor = landing.draft, self.visit.floor()
        fresh = None if landing.is_resumed else self._fresh_hole(landing)
        while True:
            hole = next((h for h in draft.holes if h.until or not floor or not h.oldest or h.oldest >= floor), None)
            if hole is None:
                return
            if not self.visit.has_budget():
                return
            try:
                if hole is not fresh:
                    self._return_to(landing, hole)
                    fresh = hole
                else:
                    self._step(landing, hole)
            except QuotaExhaustedError:
                if landing.pages == 0:
                    raise
                return

    def _fresh_hole(self, landing: Landing[ListState]) -> Hole | None:
        return landing.draft.holes[0] if landing.pages and landing.draft.holes else None

    def _step(self, landing: Landing[ListState], hole: Hole) -> None:
        answer = self.visit.get_page(hole.next)
        if answer.is_gone or answer.status == 422:
            self._restart(hole, answer)
            return
        items = self.visit.items(answer)
        self.visit.progress(f"{self.visit.source.name} {self.visit.scope}: page {landing.pages + 1}, back to {hole.oldest}")
        landing.add(items, lambda: self._advance(landing.draft, hole, answer, items))

    def _restart(self, hole: Hole, answer: Answer) -> None:
        """A link went stale; only the list's own URL can tell whether the list is gone."""
        if hole.next == self.path:
            self.visit.items(answer, is_first=True)  # raises what it means
        log.warning("stale page link, walking the list again", source=self.visit.source.name, scope=self.visit.scope)
        hole.next, hole.last, hole.etag = self.path, None, None

    def _return_to(self, landing: Landing[ListState], hole: Hole) -> None:
        """Make sure that deletions since the hole's last page was read have moved nothing past it.

        Items of numbered pages move up when items before them are deleted. An unchanged last page means
        that they did not move; else go back until a page begins with something newer than what was read.
        """
        url, seen = hole.last, hole.oldest
        if not url or not hole.etag or page_number(hole.next) is None:
            return
        answer = self.visit.get_page(url, hole.etag)
        while answer.status == 200:
            items = self.visit.items(answer)
            times = updates(items)
            back = previous(answer.url)
            if back is None or seen is None or (times and times[0] > seen):
                landing.add(items, lambda a=answer, i=items: self._advance(landing.draft, hole, a, i))  # type: ignore[misc]
                return
            answer = self.visit.get_page(back)

    # --- what is gone

    def _sweep(self, landing: Landing[ListState]) -> Iterator[Key] | None:
        """Relist everything if it is due; the keys of all items, or None."""
        draft, visit = landing.draft, self.visit
        if self.stable is None or visit.api.limits.is_anonymous or draft.holes:
            return None
        today = visit.settings.as_of
        if draft.swept_on is None and not visit.settings.sweep:
            draft.swept_on = today  # a first load has just listed everything
            return None
        is_due = draft.swept_on is None or days_between(draft.swept_on, today) >= visit.settings.sweep_days
        if not (visit.settings.sweep or is_due):
            return None
        listing = FullListing(visit, self.stable, self.key)
        for number in range(_SWEEP_PASSES):
            # Numbered pages may move while they are read: only a pass without change is complete.
            listing.read(landing, look_past=draft.is_changed and number == 0)
            if listing.changed == 0 or not listing.is_numbered:
                draft.swept_on, draft.is_changed = today, False
                return listing.keys()
        log.warning("list changes too fast for a sweep, next run tries again", source=visit.source.name, scope=visit.scope)
        return None


class FullListing:
    """A list of which every page is requested with its last ETag.

    With `has_numbers` pages are addressed by their number, so that the page after a full last one is
    always requested too: empty, with an ETag of its own.
    """

    def __init__(self, visit: Visit, url: str, key: str, *, has_numbers: bool = False) -> None:
        self.visit, self.url, self.key, self.has_numbers = visit, url, key, has_numbers
        self.pages = 0
        self.changed = 0
        self.is_numbered = False

    def _path(self, number: int) -> str:
        return state_path(self.visit.source.name, self.visit.scope, f"page-{number:05d}.json")

    def read(self, landing: Landing[Any], *, look_past: bool = False, see: Callable[[list[Any]], None] | None = None) -> bool:
        """Read all pages and land those that changed; False if the quota ended after the first page.

        With `look_past` a full last page is requested without its ETag: unchanged, it would not
        link to a page after it.
        """
        url: str | None = self.url
        self.pages = self.changed = 0
        while url:
            if self.pages and not self.visit.has_budget():
                return False
            try:
                url = self._page(landing, url, look_past, see)
            except QuotaExhaustedError:
                if self.pages == 0:
                    raise
                return False
        return True

    def _page(self, landing: Landing[Any], url: str, look_past: bool, see: Callable[[list[Any]], None] | None) -> str | None:
        path = self._path(self.pages + 1)
        mark = read_model(self.visit.store, path, PageMark)
        is_known = mark is not None and mark.url == url
        if mark and look_past and mark.next is None and len(mark.keys) >= self.visit.page_size:
            is_known = False
        answer = self.visit.get_page(url, mark.etag if mark and is_known else None)
        if mark and answer.status == 304:
            self.pages += 1
            self.is_numbered |= bool(mark.next and page_number(mark.next))
            return self._after(mark)
        if answer.status == 422 and self.pages and self.has_numbers:
            return None  # GitHub pages through a list's first 10,000 items and no further
        items = self.visit.items(answer, is_first=self.pages == 0)
        following = answer.next_url and grown(answer.next_url, self.visit.page_size)
        etag = answer.etag if page_size(answer.url) == page_size(url) else None  # a smaller page came instead
        found = PageMark(url=url, etag=etag, next=following, keys=keys_of(items, self.key))
        if see:
            see(items)
        self.visit.progress(f"{self.visit.source.name} {self.visit.scope}: full listing, page {self.pages + 1}")
        landing.add(items)
        # After the page, so that there is no mark of a page that did not land.
        write_model(self.visit.store, path, found)
        self.pages += 1
        self.changed += 1
        self.is_numbered |= bool(following and page_number(following))
        return self._after(found)

    def _after(self, mark: PageMark) -> str | None:
        """Where the list continues after a page."""
        is_full = len(mark.keys) >= self.visit.page_size
        return next_number(mark.url) if mark.next is None and self.has_numbers and is_full else mark.next

    def keys(self) -> Iterator[Key]:
        """The distinct keys of all items."""
        seen: set[Key] = set()
        for number in range(1, self.pages + 1):
            mark = read_model(self.visit.store, self._path(number), PageMark)
            for key in mark.keys if mark else []:
                if key not in seen:
                    seen.add(key)
                    yield key


def updates(items: list[Any]) -> list[datetime]:
    """Update times of the items that have one, in their order."""
    times = (moment(item.get("updated_at")) for item in items if isinstance(item, dict))
    return [time for time in times if time]


def keys_of(items: list[Any], key: str) -> list[Key]:
    """Keys of the items that have one."""
    found = (item.get(key) for item in items if isinstance(item, dict))
    return [value for value in found if isinstance(value, int | str) and not isinstance(value, bool)]
