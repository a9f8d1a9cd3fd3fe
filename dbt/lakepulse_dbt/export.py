"""Write the newest publication as files that any tool reads."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import structlog
from pyarrow import csv, parquet

from lakepulse.data_dir import look_into_data_dir
from lakepulse.names import GOLD
from lakepulse.outcome import PermanentError
from lakepulse.publications import newest_publication, read_table
from lakepulse.settings import Settings
from lakepulse_dbt.publish import GRAIN
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

log = structlog.get_logger()

MANIFEST = "manifest.json"


def export(settings: Settings, out: Path) -> None:
    """Write `<table>.parquet` and `<table>.csv` of each gold table, and `manifest.json`, into the folder `out`.

    CSV is UTF-8 with a header; dates and UTC times are ISO 8601, null is empty, an empty text is
    quoted. Rows are sorted by the table's grain. The folder appears complete or not at all.

    Raises:
        PermanentError: nothing is published yet, or `out` holds something else.
    """
    look_into_data_dir(settings)
    with catalog_errors():
        catalog = open_catalog(settings)
        newest = newest_publication(catalog, settings)
        with whole_folder(out, MANIFEST) as partial:
            for name in sorted(newest.snapshots):
                grain = catalog.load_table(f"{GOLD}.{name}").properties[GRAIN].split(",")
                rows = read_table(catalog, newest, name).sort_by([(column, "ascending") for column in grain])
                parquet.write_table(rows, partial / f"{name}.parquet")
                csv.write_csv(_iso(rows), partial / f"{name}.csv")
            manifest = {
                "as_of": newest.as_of.isoformat(),
                "run_id": newest.run_id,
                "published_at": newest.published_at.isoformat(),
                "is_demo": newest.is_demo,
                "row_counts": dict(sorted(newest.row_counts.items())),
                "snapshot_ids": dict(sorted(newest.snapshots.items())),
            }
            write_json(partial / MANIFEST, manifest)
    log.info("exported", folder=str(out), tables=len(newest.snapshots), rows=sum(newest.row_counts.values()))


def write_json(path: Path, document: object) -> None:
    """Write a small document for people and programs."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def whole_folder(out: Path, index: str) -> Iterator[Path]:
    """A folder to write into that becomes `out` at the end, in place of an earlier call's.

    The JSON file `index`, which the caller writes, gets the list of the folder's files, so that no other file is ever deleted.

    Raises:
        PermanentError: `out` holds something else.
    """
    out = out.expanduser().absolute()
    if out.exists() and not out.is_dir():
        raise PermanentError(f"{out} is not a folder; name another")
    if out.is_dir() and any(out.iterdir()) and not _is_ours(out, index):
        raise PermanentError(f"{out} is not empty and holds no earlier export; name another folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield partial
        document = json.loads((partial / index).read_text(encoding="utf-8"))
        write_json(partial / index, document | {"files": sorted(path.name for path in partial.iterdir())})
        partial.chmod(0o755)  # mkdtemp's is private
        if out.exists():
            # Two renames: for a moment a reader may find no folder, but never half of one.
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
            out.rename(old / out.name)
            partial.rename(out)
            shutil.rmtree(old)
        else:
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _is_ours(folder: Path, index: str) -> bool:
    try:
        files = json.loads((folder / index).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return all(path.name in files for path in folder.iterdir())


def _iso(rows: pa.Table) -> pa.Table:
    """Timestamps as ISO 8601 text; Arrow's own CSV form has a blank for the T."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(rows.column(index), format="%Y-%m-%dT%H:%M:%S")
            rows = rows.set_column(index, field.name, text)
    return rows
