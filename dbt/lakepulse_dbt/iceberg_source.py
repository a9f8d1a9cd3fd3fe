"""dbt-duckdb plugin: gives dbt the raw Iceberg tables, read by PyIceberg.

DuckDB's own Iceberg extension would have to be downloaded. `lakepulse build` sets in the environment
(`Reads`) which snapshot of each table to read and from which load on; without it, as when dbt is run
by hand, each table is read in full at its current snapshot.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Lock
from typing import Any, Final

import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import SourceConfig
from dbt.flags import get_flags
from duckdb import DuckDBPyConnection
from pydantic import BaseModel, RootModel
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from lakepulse.catalog import pyiceberg_properties
from lakepulse.names import CATALOG, RAW
from lakepulse.settings import load_settings
from lakepulse_dbt.raw_tables import declared_tables, project_folder

READS_VARIABLE: Final = "LAKEPULSE_RAW_READS"


class Read(BaseModel):
    """What to read of one raw table: a snapshot (None: it has none), and only rows of loads after `above`."""

    snapshot_id: int | None
    above: int | None = None


class Reads(RootModel[dict[str, Read]]):
    """Raw table -> what to read of it; a table without an entry does not exist."""


class Plugin(BasePlugin):
    """Loads a source table `raw.<name>` for dbt-duckdb, which copies it into the build database."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002 - all settings come from the environment
        settings = load_settings()
        self.catalog: Catalog = load_catalog(CATALOG, **pyiceberg_properties(settings))
        text = os.environ.get(READS_VARIABLE)
        self.planned: dict[str, Read] | None = Reads.model_validate_json(text).root if text else None
        self.declared = declared_tables(project_folder())
        self.lock = Lock()
        self.tables: dict[str, Table | None] = {}

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Create the schema once: dbt-duckdb would do it per source, and its threads would conflict.

        An earlier run's copy is dropped, or it would be read as if it were all of raw.
        """
        conn.execute(f"drop schema if exists {RAW} cascade")
        conn.execute(f"create schema {RAW}")

    def load(self, source_config: SourceConfig) -> pa.RecordBatchReader:
        """The source's declared columns as a stream of record batches; a column that the table lacks is null.

        Raises:
            KeyError: the project does not declare the table's columns.
        """
        declared = self.declared[source_config.identifier]
        table = self._table(source_config.identifier)
        read = self._read(source_config.identifier, table) if table else Read(snapshot_id=None)
        if table is None or read.snapshot_id is None:
            return pa.RecordBatchReader.from_batches(declared, [])
        return _scan(table, read, declared)

    def _table(self, name: str) -> Table | None:
        """The table as it was when this dbt run first read it, so that all its models see the same rows."""
        with self.lock:
            if name not in self.tables:
                try:
                    found: Table | None = self.catalog.load_table(f"{RAW}.{name}")
                except NoSuchTableError:
                    found = None
                self.tables[name] = None if self.planned is not None and name not in self.planned else found
            return self.tables[name]

    def _read(self, name: str, table: Table) -> Read:
        if self.planned is None:
            current = table.current_snapshot()
            return Read(snapshot_id=current.snapshot_id if current else None)
        read = self.planned[name]
        flags: Any = get_flags()  # type: ignore[no-untyped-call]
        # A full refresh rebuilds from all rows, and `dbt source freshness` needs the newest of all.
        whole = getattr(flags, "FULL_REFRESH", False) or flags.WHICH == "freshness"
        return read.model_copy(update={"above": None}) if whole else read


def _scan(table: Table, read: Read, declared: pa.Schema) -> pa.RecordBatchReader:
    scan = table.scan(snapshot_id=read.snapshot_id)
    present = {field.name for field in scan.projection().fields}
    missing = [field for field in declared if field.name not in present]
    if read.above is not None:
        scan = scan.filter(f"load_seq > {read.above}")
    reader = scan.select(*(name for name in declared.names if name in present)).to_arrow_batch_reader()
    if not missing:
        return reader
    full = pa.schema([*reader.schema, *missing])

    def widened() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            nulls = [pa.nulls(batch.num_rows, field.type) for field in missing]
            yield pa.RecordBatch.from_arrays([*batch.columns, *nulls], schema=full)

    return pa.RecordBatchReader.from_batches(full, widened())
