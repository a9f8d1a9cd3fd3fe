"""Daily downloads by version from files in DATA_DIR/imports, as BigQuery exports them.

CSV with a header or JSON lines, plain or gzip, with the columns project, date (or day), version
and downloads (or num_downloads), of any number of projects. Files are read in the order of their
names; where two have the same day and version, the later one wins.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from packaging.utils import canonicalize_name

from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings
from lakepulse_fetch.state import ScopeState
from lakepulse_fetch.visit import Source, Visit

_BATCH = 10_000
_COLUMNS = {"project": ("project", "package"), "date": ("date", "day"), "downloads": ("downloads", "num_downloads")}


class _State(ScopeState):
    digest: str | None = None
    last_event_at: datetime | None = None


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "imports"


def _files(settings: Settings) -> list[Path]:
    if not settings.is_local or not _folder(settings).is_dir():
        return []
    return sorted(p for p in _folder(settings).iterdir() if re.search(r"\.(csv|jsonl|json)(\.gz)?$", p.name))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file.

    Raises:
        PermanentError: its content is not of the type in its name.
    """
    is_packed = path.suffix == ".gz"
    with gzip.open(path, "rb") if is_packed else path.open("rb") as data:
        text = io.TextIOWrapper(cast("IO[bytes]", data), encoding="utf-8", newline="")
        try:
            if ".csv" in path.name:
                yield from csv.DictReader(text)
            else:
                yield from (json.loads(line) for line in text if line.strip())
        except (ValueError, csv.Error, EOFError, gzip.BadGzipFile) as error:
            raise PermanentError(f"{path}: not readable ({error}); export it again or remove it") from error


def _pick(path: Path, record: dict[str, Any], column: str) -> Any:
    for name in _COLUMNS.get(column, (column,)):
        if name in record:
            return record[name]
    raise PermanentError(f"{path}: no column {column!r}; needed: project, date, version, downloads")


def _records(settings: Settings, package: str) -> Iterator[dict[str, Any]]:
    for path in _files(settings):
        for record in _lines(path):
            if not isinstance(record, dict):
                raise PermanentError(f"{path}: a line that is not a record; export it again or remove it")
            if canonicalize_name(str(_pick(path, record, "project"))) != package:
                continue
            downloads = _pick(path, record, "downloads")
            is_number = isinstance(downloads, str) and downloads.isdecimal()
            yield {
                "date": _pick(path, record, "date"),
                "version": _pick(path, record, "version"),
                "downloads": int(downloads) if is_number else downloads,
            }


def _digest(settings: Settings) -> str:
    found = hashlib.sha256()
    for path in _files(settings):
        found.update(path.name.encode())
        with path.open("rb") as data:
            found.update(hashlib.file_digest(data, "sha256").digest())
    return found.hexdigest()


def _visit(visit: Visit) -> None:
    landing = visit.open(_State)
    draft = landing.draft
    digest = _digest(visit.settings)
    if digest != draft.digest:
        records = _records(visit.settings, visit.scope)
        while batch := list(islice(records, _BATCH)):
            landing.add(batch)
            for record in batch:
                draft.last_event_at = _later(draft.last_event_at, record["date"], visit.clock.now())
        draft.digest = digest
    visit.complete(landing)


def _later(known: datetime | None, day: object, now: datetime) -> datetime | None:
    try:
        found = datetime.combine(date.fromisoformat(str(day)), time(), UTC)
    except ValueError:
        return known  # the loader quarantines what is not a date
    return known if found > now or (known and known > found) else found


SOURCES = (
    Source(
        "import_versions",
        _visit,
        _State,
        is_configured=lambda settings: bool(_files(settings)),
    ),
)
