"""Where dbt builds: a DuckDB file on one machine, schemas on Trino. Everything that differs between them is here.

The store holds the models' tables and one small document, the `State`: the code and the raw snapshots
that they were built from, and the run that last passed all tests.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError

from lakepulse.outcome import PermanentError, TemporaryError, one_line
from lakepulse.settings import Settings
from lakepulse_dbt.warehouse import TABLE_PROPERTIES

GOLD_BUILD = "gold_build"
"""Schema in which dbt builds gold; publishing copies it into the namespace `gold`."""

GOLD_LOCK = "gold"
"""Held while gold is built and while it is published: a publication must not see half a build."""

_STATE_TABLE = "lakepulse_build"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RawTable(_Document):
    """A raw table as a build read it."""

    uuid: str
    schema_id: int
    sequence_number: int
    snapshot_id: int | None
    has_new_columns: bool = False
    """Columns were added since the snapshot, which a later version of ours needs."""

    @property
    def pin(self) -> int | None:
        """The snapshot to read on Trino, which gives an older one the columns of its own time alone; None: the present one."""
        return None if self.has_new_columns else self.snapshot_id


class GoldTable(_Document):
    """A gold table that passed its tests; `snapshot_id` pins it where the store is Iceberg.

    `published` is the snapshot of the published table that holds the same rows; None if none is known to.
    """

    name: str
    grain: tuple[str, ...]
    description: str
    columns: dict[str, str]
    rows: int
    snapshot_id: int | None = None
    published: int | None = None


class Passed(_Document):
    """The run whose gold is in the store and passed every test."""

    run_id: str
    as_of: date
    is_demo: bool
    tables: tuple[GoldTable, ...]
    built_at: datetime | None = None
    """UTC; a run that found nothing new keeps it."""


class State(_Document):
    """What is in the store. `passed` is None while a build runs and after one that failed.

    `inputs` is a hash of what else decides the content: the project list, and how publishing shapes a table.
    """

    code_version: str
    raw: dict[str, RawTable]
    inputs: str = ""
    passed: Passed | None = None


class BuildStore(Protocol):
    """What `build` and `publish` need from the place where dbt builds."""

    target: str
    """dbt's target."""

    folder: Path
    """For dbt's own files."""

    def environment(self, settings: Settings) -> dict[str, str]:
        """Variables that `profiles.yml` reads."""

    def state(self) -> State | None:
        """The last state; None without one that this version can read."""

    def save(self, state: State) -> None: ...

    def reset(self) -> bool:
        """Drop everything that was built; False where dbt has to (`--full-refresh`)."""

    def newest_load(self, schema: str, name: str) -> int | None:
        """The greatest `load_seq` of a table; None without such a table or column, or without rows."""

    def pinned(self, table: GoldTable) -> GoldTable:
        """The table with its current row count and snapshot."""

    def read(self, table: GoldTable) -> pa.Table:
        """The rows of a table of the schema `GOLD_BUILD`, in no particular order."""

    def release(self) -> None:
        """Close what dbt left open in this process."""


class DuckDBStore:
    """dbt builds into the file `DATA_DIR/build/build.duckdb`."""

    target = "duckdb"

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.data_dir / "build"
        self.path = self.folder / "build.duckdb"

    def environment(self, settings: Settings) -> dict[str, str]:  # noqa: ARG002 - Trino's store needs them
        return {"DBT_BUILD_PATH": str(self.path)}

    @contextlib.contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            connection = duckdb.connect(self.path)
        except duckdb.IOException as error:
            if str(error).startswith("IO Error: Could not set lock on file"):
                raise TemporaryError(f"{self.path} is open in another program; close it there, then run again") from None
            raise PermanentError(f"{self.path} cannot be opened: {one_line(error)}") from error
        with connection:
            connection.execute("set timezone = 'UTC'")
            yield connection

    def state(self) -> State | None:
        if not self.path.exists():
            return None
        try:
            with self._open() as connection:
                row = connection.execute(f"select document from main.{_STATE_TABLE}").fetchone()  # noqa: S608 - a constant
            return State.model_validate_json(row[0]) if row else None
        except (duckdb.Error, PermanentError, ValidationError):
            # Damaged, or of another version: derived data, so it is rebuilt.
            return None

    def save(self, state: State) -> None:
        with self._open() as connection:
            connection.execute(
                f"create or replace table main.{_STATE_TABLE} as select ? as document", [state.model_dump_json()]
            )

    def reset(self) -> bool:
        for path in (self.path, self.path.with_name(self.path.name + ".wal")):
            path.unlink(missing_ok=True)
        return True

    def newest_load(self, schema: str, name: str) -> int | None:
        with self._open() as connection:
            try:
                row = connection.execute(f'select max(load_seq) from "{schema}"."{name}"').fetchone()  # noqa: S608 - dbt's names
            except (duckdb.CatalogException, duckdb.BinderException):
                return None
        return row[0] if row else None

    def pinned(self, table: GoldTable) -> GoldTable:
        with self._open() as connection:
            row = connection.execute(f'select count(*) from "{GOLD_BUILD}"."{table.name}"').fetchone()  # noqa: S608 - dbt's names
        return table.model_copy(update={"rows": row[0] if row else 0})

    def read(self, table: GoldTable) -> pa.Table:
        with self._open() as connection:
            return connection.sql(f'select * from "{GOLD_BUILD}"."{table.name}"').to_arrow_table()  # noqa: S608 - dbt's names

    def release(self) -> None:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # slow to import, and publish does not need it

        if DuckDBConnectionManager._ENV is not None:  # noqa: SLF001 - its own accessor raises when dbt never connected
            DuckDBConnectionManager.env().close()
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


class TrinoStore:
    """dbt builds Iceberg tables through Trino, in the same catalog as everything else."""

    target = "trino"

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        # The step's container keeps nothing between runs.
        self.folder = Path(tempfile.mkdtemp(prefix="lakepulse-dbt-"))

    def environment(self, settings: Settings) -> dict[str, str]:
        password = settings.trino_password.get_secret_value() if settings.trino_password else ""
        return {
            "TRINO_HOST": settings.trino_host,
            "TRINO_PORT": str(settings.trino_port),
            "TRINO_USER": settings.trino_user,
            "TRINO_PASSWORD": password,
        }

    def state(self) -> State | None:
        try:
            rows = self.catalog.load_table(f"{GOLD_BUILD}.{_STATE_TABLE}").scan().to_arrow().to_pylist()
            return State.model_validate_json(rows[0]["document"]) if rows else None
        except (NoSuchTableError, ValidationError):
            return None

    def save(self, state: State) -> None:
        rows = pa.table({"document": [state.model_dump_json()]})
        self.catalog.create_namespace_if_not_exists(GOLD_BUILD)
        name = f"{GOLD_BUILD}.{_STATE_TABLE}"
        table = self.catalog.create_table_if_not_exists(name, rows.schema, properties=TABLE_PROPERTIES)
        if table.current_snapshot() is None:  # PyIceberg warns when there is nothing to overwrite
            table.append(rows)
        else:
            table.overwrite(rows)

    def reset(self) -> bool:
        return False

    def newest_load(self, schema: str, name: str) -> int | None:  # noqa: ARG002 - Trino reads raw itself
        return None

    def pinned(self, table: GoldTable) -> GoldTable:
        built = self.catalog.load_table(f"{GOLD_BUILD}.{table.name}")
        snapshot = built.current_snapshot()
        return table.model_copy(
            update={"rows": built.scan().count(), "snapshot_id": snapshot.snapshot_id if snapshot else None}
        )

    def read(self, table: GoldTable) -> pa.Table:
        return self.catalog.load_table(f"{GOLD_BUILD}.{table.name}").scan(snapshot_id=table.snapshot_id).to_arrow()

    def release(self) -> None:
        """dbt-trino closes its connections itself."""


def open_build_store(settings: Settings, catalog: Catalog) -> BuildStore:
    """The store of the configured engine."""
    return TrinoStore(catalog) if settings.engine == "trino" else DuckDBStore(settings)
