"""Writes one landing so that a kill at any point loses nothing and repeats one page at most.

Order of writes: a page file, then `progress.json` with where to continue; at the end the keys, the
progress with the state that follows, the manifest, the state; then the progress is deleted. Whichever
write was the last, the next visit continues from there.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Generic, TypeVar

import obstore
from pydantic import BaseModel, ConfigDict, Field

from lakepulse.landing import (
    KEYS_FILE,
    MANIFEST,
    Manifest,
    Page,
    landing_id,
    landing_path,
    pack_lines,
    scope_prefix,
    unpack_lines,
)
from lakepulse.store import Store
from lakepulse_fetch.limits import Meter
from lakepulse_fetch.state import ScopeState, delete_object, read_model, read_object, state_path, write_model

_PROGRESS = "progress.json"

Key = int | str


class _Progress(BaseModel):
    """A landing under way. `draft` is the scope's state as of its last page.

    `after` is the state that follows the complete landing; it is valid once there is a manifest.
    """

    model_config = ConfigDict(extra="forbid")
    started_at: datetime
    rows: list[int] = Field(default_factory=list)
    requests: int = 0
    quota: int = 0
    draft: dict[str, Any]
    after: dict[str, Any] | None = None


T = TypeVar("T", bound=ScopeState)


class Landing(Generic[T]):
    """The landing that a visit of one source and scope writes.

    `state` is as of the last complete landing. `draft` is the state after this one; it is stored with
    each page. `is_resumed`: an earlier visit was killed, and `draft` is as of its last page.
    """

    def __init__(
        self, store: Store, source: str, scope: str, kind: type[T], *, now: Callable[[], datetime], meter: Meter
    ) -> None:
        self._store, self._source, self._scope, self._kind = store, source, scope, kind
        self._now, self._meter = now, meter
        self._state_path = state_path(source, scope)
        self.state = self._settled()
        self.identifier = landing_id(source, scope, self.state.landing + 1)
        self._folder = landing_path(self.identifier)
        progress = read_model(store, f"{self._folder}/{_PROGRESS}", _Progress)
        self.is_resumed = progress is not None
        self.draft: T = kind.model_validate(progress.draft) if progress else self.state.model_copy(deep=True)
        self._progress = progress or _Progress(started_at=now(), draft={})
        self._has_progress = self.is_resumed

    def _settled(self) -> T:
        """The state, updated to a landing whose manifest was written just before a kill."""
        state = read_model(self._store, self._state_path, self._kind)
        if state is None:
            # That landing may be the first one, with its state still in its progress.
            state = self._kind(landing=max(0, _last_number(self._store, self._source, self._scope) - 1))
        while True:
            folder = landing_path(landing_id(self._source, self._scope, state.landing + 1))
            if read_object(self._store, f"{folder}/{MANIFEST}") is None:
                return state
            progress = read_model(self._store, f"{folder}/{_PROGRESS}", _Progress)
            left = (progress and progress.after) or state.model_dump()
            state = self._kind.model_validate(left | {"landing": state.landing + 1})
            write_model(self._store, self._state_path, state)
            delete_object(self._store, f"{folder}/{_PROGRESS}")

    @property
    def started_at(self) -> datetime:
        return self._progress.started_at

    @property
    def pages(self) -> int:
        """Pages written so far, those before a kill included."""
        return len(self._progress.rows)

    def add(self, items: list[Any], note: Callable[[], None] | None = None) -> None:
        """Write a page, then `draft` as `note` leaves it; for an empty page only the latter."""
        if items:
            obstore.put(self._store, f"{self._folder}/{_page_file(self.pages + 1)}", pack_lines(items))
            self._progress.rows.append(len(items))
        if note:
            note()
        self._save()

    def read(self, first: int) -> Iterator[list[Any]]:
        """The pages written so far, from the index `first` (0 is the first)."""
        for index in range(first, self.pages):
            data = read_object(self._store, f"{self._folder}/{_page_file(index + 1)}")
            yield unpack_lines(data or b"")

    def _save(self, after: T | None = None) -> None:
        progress, self._has_progress = self._progress, True
        if after:
            progress.after = after.model_dump(mode="json")
        else:
            progress.draft = self.draft.model_dump(mode="json")
        self._book()
        write_model(self._store, f"{self._folder}/{_PROGRESS}", progress)

    def _book(self) -> None:
        requests, quota = self._meter.book()
        self._progress.requests += requests
        self._progress.quota += quota

    def finish(self, run: dict[str, Any], keys: Iterable[Key] | None = None, **facts: Any) -> Manifest:
        """Complete the landing and move the state to `draft`.

        `run` holds run id and `as_of`, `facts` the other fields of the manifest.
        """
        if keys is not None:
            obstore.put(self._store, f"{self._folder}/{KEYS_FILE}", _pack_keys(keys))
        self.draft.landing = self.state.landing + 1
        if self._has_progress:
            self._save(after=self.draft)
        self._book()
        manifest = Manifest(
            landing_id=self.identifier,
            source=self._source,
            scope=self._scope,
            started_at=self.started_at,
            finished_at=self._now(),
            pages=tuple(Page(file=_page_file(number), rows=rows) for number, rows in enumerate(self._progress.rows, 1)),
            has_keys=keys is not None,
            requests=self._progress.requests,
            quota=self._progress.quota,
            **run,
            **facts,
        )
        write_model(self._store, f"{self._folder}/{MANIFEST}", manifest)
        write_model(self._store, self._state_path, self.draft)
        if self._has_progress:
            delete_object(self._store, f"{self._folder}/{_PROGRESS}")
        self.state = self.draft
        return manifest


def _page_file(number: int) -> str:
    return f"page-{number:05d}.jsonl.gz"


def _last_number(store: Store, source: str, scope: str) -> int:
    """The number of a scope's last complete landing, for a scope whose state was lost."""
    last = 0
    for batch in obstore.list(store, prefix=scope_prefix(source, scope)):
        for entry in batch:
            *_, number, name = str(entry["path"]).split("/")
            if name == MANIFEST:
                last = max(last, int(number))
    return last


def _pack_keys(keys: Iterable[Key]) -> bytes:
    """Like `pack_lines`, but without a million keys in memory as objects."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as lines:
        for key in keys:
            lines.write(json.dumps(key).encode("ascii") + b"\n")
    return packed.getvalue()
