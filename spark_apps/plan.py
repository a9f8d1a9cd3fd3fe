"""Which landings a load takes, in which order, in batches of what size, and which it refuses."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import obstore

from lakepulse.landing import (
    KEYS_FILE,
    Manifest,
    complete_landing_ids,
    fetch_again,
    landing_path,
    read_manifest,
    scopes,
)
from lakepulse.outcome import PermanentError, one_line
from lakepulse.sources import SOURCES, Entry, sources_of
from lakepulse.store import Store
from spark_apps.ledger import scope_of

ROWS_AT_ONCE = 10_000_000
"""A batch ends with the landing that reaches this many rows; a batch is one Spark job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A source's scope that a load holds back from the landing `landing_id` on, for the next load to try again.

    `rows` are those that made it refuse; `what` and `what_to_do` are for people.
    """

    table: str
    source: str
    scope: str
    landing_id: str
    rows: int
    what: str
    what_to_do: str

    @classmethod
    def of(cls, manifest: Manifest, table: str, *, what: str, what_to_do: str, rows: int | None = None) -> Refusal:
        """The refusal of a landing for `what`, which concerns `rows` or else all of its rows."""
        return cls(
            table=table,
            source=manifest.source,
            scope=manifest.scope,
            landing_id=manifest.landing_id,
            rows=max(manifest.rows, 1) if rows is None else rows,
            what=what,
            what_to_do=what_to_do,
        )

    @property
    def reason(self) -> str:
        return f"{self.what}; {self.what_to_do}"

    def details(self) -> dict[str, Any]:
        """For the step's report."""
        names = ("source", "scope", "table", "what", "what_to_do")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Plan:
    """Landings to load, each scope's in order, and refusals of scopes with a manifest that cannot be read."""

    landings: list[Manifest] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def add(self, store: Store, table: str, source: Entry, slug: str, after: str | None) -> None:
        """Add a scope's complete landings after the landing id `after`, up to one that cannot be read."""
        for identifier in complete_landing_ids(store, source.name, slug, after):
            try:
                self.landings.append(read_manifest(store, identifier))
            except PermanentError as error:
                what, _, what_to_do = one_line(error).rpartition("; ")
                self.refusals.append(
                    Refusal(
                        table=table,
                        source=source.name,
                        # The manifest would have its spelling in the project list; readers ignore the case.
                        scope=slug.replace("__", "/", 1) if source.scope == "repo" else slug,
                        landing_id=identifier,
                        rows=1,
                        what=what,
                        what_to_do=what_to_do,
                    )
                )
                return


def new_landings(store: Store, table: str, newest: Mapping[str, str]) -> Plan:
    """Complete landings of a table after `newest` (landing id by scope)."""
    plan = Plan()
    for source in sources_of(table):
        for slug in scopes(store, source.name):
            plan.add(store, table, source, slug, newest.get(f"{source.name}/{slug}"))
    return plan


def landings_from(store: Store, table: str, oldest: Mapping[str, str]) -> Plan:
    """Complete landings of a table from `oldest` (landing id by scope, itself included) on."""
    plan = Plan()
    for scope, first in sorted(oldest.items()):
        source, slug = scope.split("/")
        plan.add(store, table, SOURCES[source], slug, f"{scope}/{int(first.rsplit('/', 1)[1]) - 1:08d}")
    return plan


class _Counted(Protocol):
    @property
    def rows(self) -> int: ...


_T = TypeVar("_T", bound=_Counted)


def batches(items: Iterable[_T], rows_at_once: int = ROWS_AT_ONCE) -> Iterator[list[_T]]:
    """Cut `items`, landings as a rule, into batches without changing their order."""
    batch: list[_T] = []
    rows = 0
    for item in items:
        batch.append(item)
        rows += item.rows
        if rows >= rows_at_once:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def not_held_back(landings: Iterable[Manifest], refusals: Iterable[Refusal]) -> list[Manifest]:
    """The landings before those that `refusals` hold back: a scope's later ones wait behind a refused one."""
    first: dict[str, str] = {}
    for refusal in refusals:
        scope = scope_of(refusal.landing_id)
        first[scope] = min(refusal.landing_id, first.get(scope, refusal.landing_id))
    return [m for m in landings if m.landing_id < first.get(scope_of(m.landing_id), "~")]


def damaged(store: Store, landings: Iterable[Manifest], table: str) -> list[Refusal]:
    """Refusals of the landings that have a file which is missing or cannot be unpacked."""
    return [
        Refusal.of(
            manifest, table, what=f"landing {manifest.landing_id}: {problem}", what_to_do=fetch_again(manifest.landing_id)
        )
        for manifest in landings
        if (problem := _damage(store, manifest))
    ]


def _damage(store: Store, manifest: Manifest) -> str | None:
    """The first file of a landing that is missing or cannot be unpacked, and why."""
    for file in (*(page.file for page in manifest.pages), *((KEYS_FILE,) if manifest.has_keys else ())):
        try:
            gzip.decompress(bytes(obstore.get(store, f"{landing_path(manifest.landing_id)}/{file}").bytes()))
        except FileNotFoundError:
            return f"{file} is missing"
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            return f"{file} is damaged ({error})"
    return None
