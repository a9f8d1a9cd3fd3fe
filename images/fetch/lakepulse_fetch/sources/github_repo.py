"""The repository object, once a day: stars, forks, subscribers, open issues, size."""

from __future__ import annotations

from datetime import date
from typing import Any

from lakepulse_fetch.answers import Answer
from lakepulse_fetch.landing_writer import Landing
from lakepulse_fetch.lists import Probe
from lakepulse_fetch.state import ScopeState, read_model, state_path
from lakepulse_fetch.visit import GoneError, Identity, Source, Visit


class _State(ScopeState):
    probe: Probe | None = None
    body: dict[str, Any] | None = None
    snapshot_date: date | None = None


def _request(visit: Visit, landing: Landing[_State]) -> Answer:
    """By name, until a redirect gave an address that a rename does not change; else by id."""
    probe = landing.draft.probe or Probe(url=f"/repos/{visit.scope}")
    visit.identity = read_model(visit.store, state_path("github_repo", visit.scope, "identity.json"), Identity)
    answer = visit.get(probe.url, etag=probe.etag)
    known = visit.identity
    is_other = answer.status == 200 and known is not None and answer.document.get("id") != known.id
    if known and (is_other or answer.is_gone):
        # By now the old name may be free, or that of another repository.
        answer = visit.get(f"/repositories/{known.id}")
    if answer.is_gone:
        raise GoneError(answer.message)
    return answer


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft, as_of = landing.draft, visit.settings.as_of
    if draft.snapshot_date and as_of < draft.snapshot_date:
        return  # today's figures must not be dated earlier
    answer = _request(visit, landing)
    is_new = answer.status == 200
    if is_new:
        visit.remember(answer.document)
        draft.probe = Probe(url=answer.url, etag=answer.etag)
        draft.body = answer.document
    if is_new or draft.snapshot_date != as_of:
        draft.snapshot_date = as_of
        landing.add([draft.body])
    visit.complete(landing, last_event_at=answer.date or visit.clock.now())


SOURCES = (Source("github_repo", _visit, _State, rank=0),)
