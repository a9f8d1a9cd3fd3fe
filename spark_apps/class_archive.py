"""Makes an archive of the JVM's loaded classes, which halves the start of a local session.

`python -m spark_apps.class_archive` loads a made-up landing of every source into a temporary
folder, and the JVM writes the classes that it needed to a file. The JVM itself checks that the
file fits the Java and the jars in use, and does without it where it does not.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
import structlog

from lakepulse.data_dir import open_data_dir
from lakepulse.landing import MANIFEST, Manifest, Page, landing_id, landing_path, pack_lines
from lakepulse.settings import Settings
from lakepulse.sources import SOURCES
from lakepulse.step import run_step
from lakepulse.store import Store, open_store
from spark_apps.jars import WRITE_ARCHIVE_TO, archive_path
from spark_apps.load import load
from spark_apps.session import open_session

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_PERSON = {"name": "a", "email": "a@example.org", "date": "2026-01-01T00:00:00Z"}
# Fits every table.
_ITEM = {
    "id": 1,
    "number": 1,
    "sha": "a",
    "commit": {"author": _PERSON, "committer": _PERSON},
    "parents": [{"sha": "b"}],
    "state": "open",
    "labels": [{"name": "bug"}],
    "issue_url": "https://api.github.com/repos/a/b/issues/1",
    "tag_name": "v1",
    "version": "1.0",
    "filename": "a-1.0.tar.gz",
    "category": "Linux",
    "date": "2026-01-01",
    "downloads": 1,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


def _land(store: Store, source: str, number: int, item: dict[str, object], moment: datetime) -> None:
    identifier = landing_id(source, "a/b" if source.startswith("github") else "a", number)
    obstore.put(store, f"{landing_path(identifier)}/page-00001.jsonl.gz", pack_lines([item]))
    manifest = Manifest(
        landing_id=identifier,
        source=source,
        scope="a/b" if source.startswith("github") else "a",
        run_id="warm-up",
        as_of=moment.date(),
        started_at=moment,
        finished_at=moment,
        pages=(Page(file="page-00001.jsonl.gz", rows=1),),
        upstream_id=1,
    )
    obstore.put(store, f"{landing_path(identifier)}/{MANIFEST}", manifest.model_dump_json().encode())


def write() -> None:
    """Make the archive.

    Raises:
        StepError: Spark did not start, or a load failed.
    """
    path = archive_path()
    partial = path.with_suffix(".partial")
    os.environ[WRITE_ARCHIVE_TO] = str(partial)
    with tempfile.TemporaryDirectory(prefix="lakepulse-") as folder:
        settings = Settings(data_dir=Path(folder) / "data", lake_url=None, warehouse_url=None, catalog_uri=None, demo=True)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        open_data_dir(settings)
        store = open_store(settings)
        with open_session(settings) as engine:
            gateway: Any = engine.sparkContext._gateway  # noqa: SLF001 - the JVM writes the archive as it ends
            for number, item in enumerate((_ITEM, _ITEM | {"title": "b", "updated_at": "2026-01-02T00:00:00Z"}), start=1):
                for source in SOURCES:
                    _land(store, source, number, item, _MOMENT + timedelta(days=number))
                load(engine, settings)
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=120)
    if partial.is_file():
        partial.replace(path)


if __name__ == "__main__":
    sys.exit(run_step(write))
