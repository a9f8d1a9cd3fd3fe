"""The landing: what fetch leaves for load, and the only contract between them.

One fetch of one source and scope is one landing::

    landing/<source>/<slug of scope>/<number, 8 digits>/
        page-00001.jsonl.gz ...   the items of one upstream page, one JSON value a line, unchanged
        keys.jsonl.gz             (full listings only) the key of every item that upstream has
        manifest.json             written last; readers ignore a folder without it

Numbers rise by one per source and scope, so the order of a scope's landings does not depend on a
clock. A landing without pages is a visit that found nothing new.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

import obstore
from pydantic import BaseModel, ConfigDict

from lakepulse.outcome import PermanentError
from lakepulse.sources import SOURCES
from lakepulse.store import Store

LAYOUT = 1
ROOT = "landing"
MANIFEST = "manifest.json"
KEYS_FILE = "keys.jsonl.gz"

Status = Literal["ok", "gone", "closed"]
"""How a visit ended.

`ok`: complete, as far as `covered_from` and `covered_to` say. `gone`: the upstream no longer has the scope.
`closed`: the scope exists, but this list of it is refused or switched off; `status_detail` has the upstream's words.
A landing that is not `ok` has no pages.
"""


class Page(BaseModel):
    """One page file: `rows` lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    rows: int


class Manifest(BaseModel):
    """What a landing holds. All times are UTC.

    `status_detail` has the upstream's own words: about a `status` that is not `ok`, else about `upstream_status`.
    `upstream_status` is what the upstream calls the scope, as PyPI calls a project active, archived, deprecated
    or quarantined (PEP 792); None: it says nothing.

    All landings of a scope up to this one cover the events from `covered_from` (None: all history) to
    `covered_to` (None: `finished_at`). `watermark` is the newest event time that later fetches may rely
    on, `last_event_at` the newest event seen. A landing that is not `ok` has none of the four.

    `upstream_id` and `upstream_name` are the repository's id and present full name. `has_keys` says that
    KEYS_FILE lists every key that upstream had between `started_at` and `finished_at`: what is
    older than `started_at` and not in it was deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: int = LAYOUT
    landing_id: str
    source: str
    scope: str
    run_id: str
    as_of: date
    started_at: datetime
    finished_at: datetime
    status: Status = "ok"
    status_detail: str | None = None
    pages: tuple[Page, ...] = ()
    has_keys: bool = False
    requests: int = 0
    quota: int = 0
    watermark: datetime | None = None
    covered_from: datetime | None = None
    covered_to: datetime | None = None
    last_event_at: datetime | None = None
    upstream_id: int | None = None
    upstream_name: str | None = None
    upstream_status: str | None = None
    complete: Literal[True] = True

    @property
    def rows(self) -> int:
        """Lines of all pages together; a repeated item counts again."""
        return sum(page.rows for page in self.pages)


def scope_slug(scope: str) -> str:
    """The folder name of a repo or package; cannot leave its parent folder.

    Injective, ignoring case, on names that the project list accepts: an owner has no `_`.
    """
    slug = scope.replace("/", "__", 1).lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", slug):
        raise PermanentError(f"scope {scope!r} is not a valid folder name")
    return slug


def scope_prefix(source: str, scope: str) -> str:
    """Store path of a scope's landings, without a trailing slash."""
    if source not in SOURCES:
        raise PermanentError(f"unknown source {source!r}; known: {', '.join(SOURCES)}")
    return f"{ROOT}/{source}/{scope_slug(scope)}"


def landing_id(source: str, scope: str, number: int) -> str:
    """`<source>/<slug>/<number>`; sorts in the order of the scope's landings."""
    return f"{source}/{scope_slug(scope)}/{number:08d}"


def landing_path(identifier: str) -> str:
    """Store path of a landing's folder."""
    return f"{ROOT}/{identifier}"


def read_manifest(store: Store, identifier: str) -> Manifest:
    """The manifest of a complete landing.

    Raises:
        FileNotFoundError: the landing is not complete.
        PermanentError: the manifest is damaged, or a later version wrote it.
    """
    path = f"{landing_path(identifier)}/{MANIFEST}"
    text = bytes(obstore.get(store, path).bytes())
    try:
        document = json.loads(text)
        if document.get("layout") != LAYOUT:
            raise PermanentError(f"{path}: layout {document.get('layout')!r}, this version reads {LAYOUT}; upgrade lakepulse")
        return Manifest.model_validate(document)
    except ValueError as error:
        raise PermanentError(f"{path}: not a landing manifest ({error}); {fetch_again(identifier)}") from error


def fetch_again(identifier: str) -> str:
    """What to do about a landing that cannot be used: without the scope's state the next visit fetches all of it."""
    return f"remove {landing_path(identifier)}/ and state/{identifier.rsplit('/', 1)[0]}.json to fetch the scope again"


def complete_landings(store: Store, source: str, slug: str, after: str | None = None) -> Iterator[Manifest]:
    """Complete landings of one scope in order; with `after` those after that landing id.

    Raises:
        PermanentError: as in `read_manifest`.
    """
    for identifier in complete_landing_ids(store, source, slug, after):
        yield read_manifest(store, identifier)


def complete_landing_ids(store: Store, source: str, slug: str, after: str | None = None) -> list[str]:
    """Ids of one scope's complete landings in order; with `after` those after that landing id."""
    prefix = f"{ROOT}/{source}/{slug}"
    # Object stores list in key order from an offset, so a long history costs nothing.
    offset = f"{landing_path(after)}/~" if after else None
    found: set[str] = set()
    for batch in obstore.list(store, prefix=prefix, offset=offset):
        for entry in batch:
            path = str(entry["path"])
            if path.endswith(f"/{MANIFEST}"):
                found.add(path.removeprefix(f"{ROOT}/").removesuffix(f"/{MANIFEST}"))
    return sorted(found)


def scopes(store: Store, source: str) -> list[str]:
    """Slugs of the scopes that have landings of a source, sorted."""
    listing = obstore.list_with_delimiter(store, f"{ROOT}/{source}")
    return sorted(str(path).rsplit("/", 1)[-1] for path in listing["common_prefixes"])


def pack_lines(items: list[object]) -> bytes:
    """`items` as gzip JSON lines. Escaped to ASCII, so lone surrogates and NUL survive."""
    lines = "".join(json.dumps(item, separators=(",", ":")) + "\n" for item in items)
    return gzip.compress(lines.encode("ascii"), compresslevel=6, mtime=0)


def unpack_lines(data: bytes) -> list[object]:
    """The inverse of `pack_lines`."""
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]
