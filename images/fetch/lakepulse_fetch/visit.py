"""What a source declares, and what one visit of it and a scope works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict

from lakepulse.landing import Manifest, Status
from lakepulse.outcome import TemporaryError
from lakepulse.projects import Project, packages_of, repos_of
from lakepulse.settings import Settings
from lakepulse.sources import SOURCES, Upstream
from lakepulse.store import Store
from lakepulse_fetch.answers import Answer, Parse, Refusal, json_list, json_object
from lakepulse_fetch.clock import Clock
from lakepulse_fetch.landing_writer import Key, Landing
from lakepulse_fetch.limits import Meter
from lakepulse_fetch.pages import resized, shrink
from lakepulse_fetch.state import ScopeState, read_model, state_path, write_model
from lakepulse_fetch.transport import Api, HeavyPageError, Request

log = structlog.get_logger()

PAGE_SIZE = 100
"""Items a page; the most that GitHub allows."""

T = TypeVar("T", bound=ScopeState)


class EndedError(Exception):
    """The upstream has nothing more for this visit: it lands with `status`, in the upstream's own words."""

    status: Status


class GoneError(EndedError):
    """The scope does not exist, or no longer."""

    status = "gone"


class ClosedError(EndedError):
    """The scope exists, but this list of it is refused or switched off."""

    status = "closed"


@dataclass(frozen=True)
class Source:
    """How the source of that name in the register is fetched.

    `visit` fetches one scope and keeps its state in a `state`. `headers` go with each request of the source,
    such as a media type of its own. `refusals` are the answers by which the upstream says that it has the scope
    but not this list of it: the landing is closed. Other refusals are errors. `rank` orders the sources where
    requests are scarce; those of rank 2 share what the others leave.
    """

    name: str
    visit: Callable[[Visit], None]
    state: type[ScopeState]
    headers: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    rank: int = 2
    is_configured: Callable[[Settings], bool] = lambda _settings: True

    @property
    def upstream(self) -> Upstream:
        """The API that it is fetched from, by the register."""
        return SOURCES[self.name].upstream

    def scopes(self, projects: tuple[Project, ...]) -> list[str]:
        """What it is fetched for: every repo or package of the projects, by the register."""
        return repos_of(projects) if SOURCES[self.name].scope == "repo" else packages_of(projects)


class Identity(BaseModel):
    """A repository's id, which a rename does not change, and its present full name."""

    model_config = ConfigDict(extra="forbid")
    id: int
    full_name: str


@dataclass
class Visit:
    """One visit. `budget` bounds the quota that it may spend; None: no bound."""

    settings: Settings
    store: Store
    api: Api
    source: Source
    scope: str
    clock: Clock
    budget: int | None = None
    page_size: int = PAGE_SIZE
    manifests: list[Manifest] = field(default_factory=list)
    progress: Callable[[str], None] = lambda _text: None
    meter: Meter = field(default_factory=Meter)
    identity: Identity | None = None

    # --- the landing

    def open(self, kind: type[T]) -> Landing[T]:
        """The scope's next landing, or the one that an earlier visit did not complete."""
        return Landing(self.store, self.source.name, self.scope, kind, now=self.clock.now, meter=self.meter)

    def complete(self, landing: Landing[T], keys: Iterable[Key] | None = None, **facts: Any) -> Manifest:
        """Complete a landing under this run's name. `facts` come before those of its state."""
        if self.identity:
            facts |= {"upstream_id": self.identity.id, "upstream_name": self.identity.full_name}
        run = {"run_id": self.settings.run_id, "as_of": self.settings.as_of}
        manifest = landing.finish(run, keys, **landing.draft.facts() | facts)
        self.manifests.append(manifest)
        return manifest

    def complete_resumed(self, landing: Landing[T], keys: Iterable[Key] | None = None) -> Manifest:
        """Complete a landing that has seen what was new when it was started, and nothing since."""
        covered_to = landing.draft.facts().get("covered_to")
        return self.complete(landing, keys, covered_to=min(covered_to or landing.started_at, landing.started_at))

    def end(self, ended: EndedError) -> None:
        """Land how the upstream ended the visit, after what was fetched before."""
        log.warning(f"{ended.status} upstream", source=self.source.name, scope=self.scope, detail=str(ended))
        self.identity = read_model(self.store, state_path("github_repo", self.scope, "identity.json"), Identity)
        landing = self.open(self.source.state)
        if landing.pages:
            self.complete_resumed(landing)
            landing = self.open(self.source.state)
        nothing = dict.fromkeys(landing.draft.facts())
        self.complete(landing, **nothing | {"status": ended.status, "status_detail": str(ended)})

    # --- requests

    def has_budget(self) -> bool:
        """Whether another request may be spent."""
        return self.budget is None or self.meter.booked + self.meter.quota < self.budget

    def floor(self) -> datetime | None:
        """How far a first load looks back; None: to the beginning."""
        if self.settings.lookback is None:
            return None
        first = self.settings.as_of - timedelta(days=self.settings.lookback - 1)
        return datetime.combine(first, time(), UTC)

    def get(self, url: str, *, parse: Parse = json_object, etag: str | None = None, can_shrink: bool = False) -> Answer:
        """`Api.get` for this visit, as its source declares, with ETags that stay with one token.

        Raises:
            GoneError, ClosedError: the upstream refuses the list.
            StepError: as `Api.get` does.
        """
        headers, refusals = self.source.headers, self.source.refusals
        request = Request(url=url, parse=parse, etag=etag, can_shrink=can_shrink, headers=headers, refusals=refusals)
        answer = self._send(request)
        if any(refusal.matches(answer) for refusal in refusals):
            raise self.refused(answer)
        return answer

    def _send(self, request: Request) -> Answer:
        return self.api.get(replace(request, home=f"{self.source.name}/{self.scope}"), self.meter)

    def get_page(self, url: str, etag: str | None = None) -> Answer:
        """A page of a list, smaller where the upstream cannot make a full one."""
        while True:
            smaller = shrink(url)
            try:
                return self.get(url, parse=json_list, etag=etag, can_shrink=smaller is not None)
            except HeavyPageError as error:
                if smaller is None:
                    raise
                log.warning(
                    "page too heavy, requesting a smaller one", source=self.source.name, scope=self.scope, why=str(error)
                )
                url, etag = resized(url, smaller), None

    def items(self, answer: Answer, *, is_first: bool = False) -> list[Any]:
        """The items of a page.

        Raises:
            GoneError, ClosedError: it is the first page of a list that does not exist.
            TemporaryError: a later page is not available.
        """
        if answer.status == 200:
            return list(answer.document)
        if is_first and answer.is_gone:
            raise self.refused(answer)
        raise TemporaryError(f"{self.api.name}: {answer.message} for {answer.url}; run again later")

    def refused(self, answer: Answer) -> EndedError:
        """How a visit ends whose list is refused: closed while the upstream has the scope, else gone.

        Raises:
            StepError: the scope is refused too, as to bad credentials.
        """
        if self.identity is None:
            return ClosedError(answer.message)
        scope = self._send(Request(url=f"/repositories/{self.identity.id}"))
        return GoneError(scope.message) if scope.is_gone else ClosedError(answer.message)

    # --- the repository

    def repository(self) -> Identity:
        """The repository that the scope names, looked up once and remembered.

        Raises:
            GoneError: it is not known and not found.
        """
        path = state_path("github_repo", self.scope, "identity.json")
        known = read_model(self.store, path, Identity)
        if known is None:
            answer = self._send(Request(url=f"/repos/{self.scope}"))
            if answer.is_gone:
                raise GoneError(answer.message)
            known = self.remember(answer.document)
        self.identity = known
        return known

    def remember(self, document: Any) -> Identity:
        """Note id and name of a repository object.

        Raises:
            TemporaryError: it has none.
        """
        number, name = document.get("id"), document.get("full_name")
        if not isinstance(number, int) or not isinstance(name, str):
            raise TemporaryError(f"{self.api.name}: the answer for {self.scope} is not a repository; run again later")
        found = Identity(id=number, full_name=name)
        if found != self.identity:
            write_model(self.store, state_path("github_repo", self.scope, "identity.json"), found)
        self.identity = found
        return found


def moment(value: object) -> datetime | None:
    """An ISO timestamp of an item, UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def newest(values: Iterable[datetime | None], not_after: datetime) -> datetime | None:
    """The newest moment that is not in the future."""
    return max((value for value in values if value and value <= not_after), default=None)


def days_between(first: date, last: date) -> int:
    return (last - first).days
