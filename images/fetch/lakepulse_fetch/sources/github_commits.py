"""Commits of the default branch, found by their parents and never by their dates.

Known commits are kept as a set of ids. From the head the list is walked until every parent is
known, so a branch that is merged months late is found whatever its dates. The walk names the
head's id, so that a push meanwhile moves no page. If the walk does not meet the old head, the branch
was rewritten: everything is listed again, and what is missing is unreachable.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import obstore
import structlog
from pydantic import Field

from lakepulse_fetch.landing_writer import Landing
from lakepulse_fetch.limits import QuotaExhaustedError
from lakepulse_fetch.lists import Probe
from lakepulse_fetch.pages import grown, with_param
from lakepulse_fetch.shas import ShaSet, is_sha
from lakepulse_fetch.state import ScopeState, read_object, state_path
from lakepulse_fetch.visit import Source, Visit, days_between, moment, newest

log = structlog.get_logger()


class _State(ScopeState):
    """`wanted`: parent not fetched yet -> when its child was committed; `chains`: pages to continue with.

    Known are the ids in `known_file` and those in the pages of the landing under way from the index
    `known_from` on. `old_head` is set while a walk has yet to meet it.
    """

    probe: Probe | None = None
    head: str | None = None
    old_head: str | None = None
    wanted: dict[str, datetime | None] = Field(default_factory=dict)
    chains: list[str] = Field(default_factory=list)
    known_file: str | None = None
    known_from: int = 0
    is_rewritten: bool = False
    swept_on: date | None = None
    last_event_at: datetime | None = None

    @property
    def covered_from(self) -> datetime | None:
        return max((time for time in self.wanted.values() if time), default=None)


class _Commits:
    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.path = f"/repositories/{visit.repository().id}/commits?per_page={visit.page_size}"
        self.known = ShaSet()
        self.here: set[str] | None = None
        """Wanted by the chain under way; None: all that is wanted."""

    def run(self) -> None:
        landing = self._open()
        if landing.is_resumed:
            self._go_on(landing)
            self.visit.complete_resumed(landing, self._settle(landing))
            landing = self._open()
        self._probe(landing)
        self._go_on(landing)
        self.visit.complete(landing, self._settle(landing))

    def _open(self) -> Landing[_State]:
        landing = self.visit.open(_State)
        draft = landing.draft
        data = read_object(self.visit.store, self._file(draft.known_file)) if draft.known_file else None
        self.known = ShaSet(data or b"")
        if landing.is_resumed:
            for items in landing.read(draft.known_from):
                for sha, _, _ in commits_of(items):
                    self.known.add(sha)
        else:
            draft.known_from = 0
        self.here = None
        return landing

    def _file(self, name: str) -> str:
        return state_path(self.visit.source.name, self.visit.scope, name)

    def _probe(self, landing: Landing[_State]) -> None:
        draft = landing.draft
        probe = draft.probe or Probe(url=self.path)
        answer = self.visit.get_page(probe.url, probe.etag)
        if answer.status in {304, 409}:  # 409: a repository without commits
            return
        items = self.visit.items(answer, is_first=True)
        head = next((sha for sha, _, _ in commits_of(items)), None)

        def note() -> None:
            draft.probe = Probe(url=answer.url, etag=answer.etag)
            if head and head != draft.head:
                draft.old_head, draft.head = draft.head, head
            self.here = set()
            self._take(draft, items)
            draft.last_event_at = newest(
                [*(when for _, _, when in commits_of(items)), draft.last_event_at], self.visit.clock.now()
            )
            if self.here and answer.next_url:
                draft.chains.insert(0, self._pinned(draft, answer.next_url))
            elif not self.here:
                self._judge(landing)

        landing.add(items, note)

    def _pinned(self, draft: _State, url: str) -> str:
        url = grown(url, self.visit.page_size)
        return url if "sha=" in url else with_param(url, "sha", draft.head or "")

    def _forget(self, landing: Landing[_State]) -> None:
        """The branch was rewritten: only what is reachable from its new head is known."""
        draft = landing.draft
        log.warning("branch rewritten, listing all commits", source=self.visit.source.name, scope=self.visit.scope)
        self.known, self.here = ShaSet(), None
        draft.known_file, draft.known_from = None, landing.pages
        draft.wanted, draft.chains, draft.old_head, draft.is_rewritten = {}, [], None, True

    def _judge(self, landing: Landing[_State]) -> None:
        """The head's walk is complete: it met the old head, or the branch was rewritten."""
        draft = landing.draft
        self.here = None
        if draft.old_head:
            self._forget(landing)
            draft.chains = [with_param(self.path, "sha", draft.head or "")]

    def _take(self, draft: _State, items: list[Any]) -> int:
        """Note a page's commits and the parents that they want; how many were unknown."""
        unknown = 0
        for sha, parents, when in commits_of(items):
            if sha in self.known:
                continue
            unknown += 1
            self.known.add(sha)
            draft.wanted.pop(sha, None)
            if self.here is not None:
                self.here.discard(sha)
            for parent in parents:
                if parent == draft.old_head:
                    draft.old_head = None
                if parent not in self.known:
                    draft.wanted[parent] = when
                    if self.here is not None:
                        self.here.add(parent)
        return unknown

    def _go_on(self, landing: Landing[_State]) -> None:
        """Follow chains of pages, then wanted parents, until nothing is wanted or may be spent."""
        draft, floor = landing.draft, self.visit.floor()
        absent: set[str] = set()
        while True:
            if not draft.chains and not draft.wanted:
                if not draft.old_head:
                    return
                self._judge(landing)
            if draft.wanted and floor and all(when and when < floor for when in draft.wanted.values()):
                return
            if not self.visit.has_budget():
                return
            if not draft.chains:
                jump = max(draft.wanted.keys() - absent, key=lambda sha: str(draft.wanted[sha]), default=None)
                if jump is None:
                    log.warning("upstream does not serve some parents", scope=self.visit.scope, commits=len(absent))
                    return
                absent.add(jump)  # tried once a visit
                draft.chains = [with_param(self.path, "sha", jump)]
            try:
                self._step(landing)
            except QuotaExhaustedError:
                if landing.pages == 0:
                    raise
                return

    def _step(self, landing: Landing[_State]) -> None:
        draft = landing.draft
        answer = self.visit.get_page(draft.chains[0])
        if answer.status != 200:
            log.warning("stale page link", source=self.visit.source.name, scope=self.visit.scope, status=answer.status)
            draft.chains.pop(0)
            return
        items = self.visit.items(answer)

        def note() -> None:
            unknown = self._take(draft, items)
            is_satisfied = not (draft.wanted if self.here is None else self.here)
            if unknown and not is_satisfied and answer.next_url:
                draft.chains[0] = self._pinned(draft, answer.next_url)
            else:
                draft.chains.pop(0)
            if is_satisfied and self.here is not None:
                self._judge(landing)

        self.visit.progress(f"{self.visit.source.name} {self.visit.scope}: page {landing.pages + 1}, {len(self.known)} commits")
        landing.add(items, note)

    def _settle(self, landing: Landing[_State]) -> ShaSet | None:
        """Store the known ids before the landing is complete; its keys if they are due."""
        draft, visit = landing.draft, self.visit
        if landing.pages:
            draft.known_file = "known-a.bin" if landing.state.known_file == "known-b.bin" else "known-b.bin"
            obstore.put(visit.store, self._file(draft.known_file), self.known.to_bytes())
        today = visit.settings.as_of
        # Walks keep the known set equal to what is reachable, so the keys cost no request.
        is_due = draft.swept_on is not None and days_between(draft.swept_on, today) >= visit.settings.sweep_days
        is_whole = not draft.wanted and not draft.chains and draft.old_head is None
        keys = self.known if is_whole and (draft.is_rewritten or is_due or visit.settings.sweep) else None
        if keys is not None or draft.swept_on is None:
            draft.is_rewritten, draft.swept_on = draft.is_rewritten and keys is None, today
        return keys


def commits_of(items: list[Any]) -> Iterator[tuple[str, list[str], datetime | None]]:
    """Id, parents' ids and commit time of the items that are commits."""
    for item in items:
        if not isinstance(item, dict) or not is_sha(item.get("sha")):
            continue
        parents = item.get("parents")
        commit = item.get("commit")
        committer = commit.get("committer") if isinstance(commit, dict) else None
        when = moment(committer.get("date")) if isinstance(committer, dict) else None
        listed = parents if isinstance(parents, list) else []
        yield item["sha"], [p["sha"] for p in listed if isinstance(p, dict) and is_sha(p.get("sha"))], when


def _visit(visit: Visit) -> None:
    _Commits(visit).run()


SOURCES = (Source("github_commits", _visit, _State),)
