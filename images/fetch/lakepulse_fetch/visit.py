"""What one visit of one source and scope works with, and what every visit does alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict

from lakepulse.landing import Manifest
from lakepulse.outcome import TemporaryError
from lakepulse.projects import Project
from lakepulse.settings import Settings
from lakepulse.store import Store
from lakepulse_fetch.client import Answer, Api, Clock, HeavyPageError, Meter, json_list
from lakepulse_fetch.landing_writer import Key, Landing
from lakepulse_fetch.pages import resized, shrink
from lakepulse_fetch.state import ScopeState, read_model, state_path, write_model

log = structlog.get_logger()

PAGE_SIZE = 100
"""Items a page; the most that GitHub allows."""

GONE = frozenset({403, 404, 410, 451})
"""A 403 reaches a visit only where GitHub blocked the repository."""

T = TypeVar("T", bound=ScopeState)


class GoneError(Exception):
    """The upstream says that this scope is not there (any more)."""


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
    source: str
    scope: str
    clock: Clock
    budget: int | None = None
    page_size: int = PAGE_SIZE
    manifests: list[Manifest] = field(default_factory=list)
    progress: Callable[[str], None] = lambda _text: None
    meter: Meter = field(default_factory=Meter)
    identity: Identity | None = None
    earlier_quota: int = 0

    def open(self, kind: type[T]) -> Landing[T]:
        """The scope's next landing, or the one that an earlier visit did not complete."""
        self.earlier_quota += self.meter.quota
        self.meter = Meter()
        return Landing(self.store, self.source, self.scope, kind, now=self.clock.now, meter=self.meter)

    def complete(self, landing: Landing[T], keys: Iterable[Key] | None = None, **facts: Any) -> Manifest:
        """Complete a landing under this run's name."""
        if self.identity:
            facts |= {"upstream_id": self.identity.id, "upstream_name": self.identity.full_name}
        run = {"run_id": self.settings.run_id, "as_of": self.settings.as_of}
        manifest = landing.finish(run, keys, **facts)
        self.manifests.append(manifest)
        return manifest

    def has_budget(self) -> bool:
        """Whether another request may be spent."""
        return self.budget is None or self.earlier_quota + self.meter.quota < self.budget

    def floor(self) -> datetime | None:
        """How far a first load looks back; None: to the beginning."""
        if self.settings.lookback is None:
            return None
        first = self.settings.as_of - timedelta(days=self.settings.lookback - 1)
        return datetime.combine(first, time(), UTC)

    def get(self, url: str, **options: Any) -> Answer:
        """`Api.get` on this visit's account, with ETags that stay with one token."""
        return self.api.get(url, self.meter, home=f"{self.source}/{self.scope}", **options)

    def get_page(self, url: str, etag: str | None = None) -> Answer:
        """A page of a list, in smaller pages where the upstream cannot make a whole one."""
        while True:
            smaller = shrink(url)
            try:
                return self.get(url, parse=json_list, etag=etag, can_shrink=smaller is not None)
            except HeavyPageError as error:
                if smaller is None:
                    raise
                log.warning("page too heavy, asking for a smaller one", source=self.source, scope=self.scope, why=str(error))
                url, etag = resized(url, smaller), None

    def repository(self) -> Identity:
        """The repository that the scope names, looked up once and remembered.

        Raises:
            GoneError: there is none and never was.
        """
        path = state_path("github_repo", self.scope, "identity.json")
        known = read_model(self.store, path, Identity)
        if known is None:
            answer = self.get(f"/repos/{self.scope}")
            if answer.status in GONE:
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
            raise TemporaryError(f"{self.api.name}: the answer for {self.scope} is no repository; run again later")
        found = Identity(id=number, full_name=name)
        if found != self.identity:
            write_model(self.store, state_path("github_repo", self.scope, "identity.json"), found)
        self.identity = found
        return found


@dataclass(frozen=True)
class Source:
    """One kind of data from one upstream.

    `rank` orders the sources where requests are scarce; those of rank 2 share what the others
    leave.
    """

    name: str
    api: str
    scopes: Callable[[tuple[Project, ...]], list[str]]
    visit: Callable[[Visit], None]
    rank: int = 2
    is_configured: Callable[[Settings], bool] = lambda _settings: True


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
