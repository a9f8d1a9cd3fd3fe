"""Read what was published: which snapshots belong together, and the tables at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from pyiceberg.catalog import Catalog

from lakepulse.names import GOLD, PUBLICATIONS
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings


@dataclass(frozen=True, slots=True)
class Publication:
    """One row of `gold.publications`: the gold tables of one run, each pinned to a snapshot.

    `snapshots` and `row_counts` map a table's name to its Iceberg snapshot id and row count.
    """

    run_id: str
    as_of: date
    published_at: datetime
    is_demo: bool
    code_version: str
    snapshots: dict[str, int]
    row_counts: dict[str, int]


def publications(catalog: Catalog) -> list[Publication]:
    """All publications, the newest first: by `as_of`, then by the time of publishing.

    A backfill of an older date is therefore never the newest.
    """
    rows = catalog.load_table(PUBLICATIONS).scan().to_arrow().to_pylist()
    found = [Publication(**row | {"snapshots": dict(row["snapshots"]), "row_counts": dict(row["row_counts"])}) for row in rows]
    return sorted(found, key=lambda publication: (publication.as_of, publication.published_at), reverse=True)


def newest_publication(catalog: Catalog, settings: Settings) -> Publication:
    """The publication that readers see.

    Raises:
        PermanentError: there is none yet.
    """
    newest = next(iter(publications(catalog)), None)
    if newest is None:
        where = f" in DATA_DIR {settings.data_dir}" if settings.is_local else ""
        raise PermanentError(f"nothing is published yet{where}; run the pipeline first")
    return newest


def read_table(catalog: Catalog, publication: Publication, name: str) -> pa.Table:
    """The rows of a gold table as the publication had them, in no particular order."""
    return catalog.load_table(f"{GOLD}.{name}").scan(snapshot_id=publication.snapshots[name]).to_arrow()
