"""Which landings a load takes, in which order, and in batches of what size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lakepulse.landing import Manifest, complete_landings, scopes
from lakepulse.sources import sources_of
from lakepulse.store import Store

ROWS_AT_ONCE = 10_000_000
"""A batch ends with the landing that reaches this many rows; a batch is one Spark job."""


def new_landings(store: Store, table: str, newest: Mapping[str, str]) -> list[Manifest]:
    """Complete landings of a table after `newest` (landing id by scope), each scope's in order."""
    return [
        manifest
        for source in sources_of(table)
        for slug in scopes(store, source.name)
        for manifest in complete_landings(store, source.name, slug, newest.get(f"{source.name}/{slug}"))
    ]


def landings_from(store: Store, oldest: Mapping[str, str]) -> list[Manifest]:
    """Complete landings from `oldest` (landing id by scope, itself included) on, each scope's in order."""
    found: list[Manifest] = []
    for scope, first in sorted(oldest.items()):
        source, slug = scope.split("/")
        before = f"{scope}/{int(first.rsplit('/', 1)[1]) - 1:08d}"
        found += complete_landings(store, source, slug, before)
    return found


def batches(landings: Iterable[Manifest], rows_at_once: int = ROWS_AT_ONCE) -> Iterator[list[Manifest]]:
    """Cut `landings` into batches without changing their order."""
    batch: list[Manifest] = []
    rows = 0
    for manifest in landings:
        batch.append(manifest)
        rows += manifest.rows
        if rows >= rows_at_once:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch
