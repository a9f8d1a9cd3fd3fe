"""Reads the gold tables from either engine and runs the pages' SQL on them.

A publication never changes and gold is small, so each table is read from the engine once. DuckDB then runs the
queries in this process, whatever the engine: they name tables `gold.<table>` and values `:name`, and run in UTC on
the snapshots of one publication, so a page never mixes two runs.
"""

from __future__ import annotations

import re
import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any, Protocol, TypeVar

import duckdb
import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

from lakepulse.catalog import catalog_uri, read_only_properties
from lakepulse.names import CATALOG, GOLD
from lakepulse.outcome import one_line
from lakepulse.publications import Publication
from lakepulse.settings import Settings

Value = str | int | date | tuple[str, ...]
Values = Mapping[str, Value]
T = TypeVar("T")

_NAME = re.compile(r"(?<!:):([a-z_]+)")
_TABLE = re.compile(rf"\b{GOLD}\.(\w+)\b")
_MISSING_COLUMN = re.compile(r'column (?:named )?"(\w+)"')
"""In what DuckDB says of a query that reads a column which its table does not have."""
_MEMORY_LIMIT = "96MB"
"""For a publication's tables and the queries on them; the rest spills to disk."""
_ROWS_AT_ONCE = 20_000
"""Fetched from Trino."""
_COPIES_AT_ONCE = 3
"""One is planned while another is read; more would only use more memory."""


class UnavailableError(Exception):
    """The data cannot be read. `str()` of it is one line for the reader of the page."""


class OutdatedError(UnavailableError):
    """The publication was made by an earlier version, which did not have what a query reads yet."""


class Backend(Protocol):
    """An engine. Both methods raise UnavailableError if it does not answer."""

    def current(self, name: str) -> pa.Table:
        """All current rows of a table that no publication pins; no columns if the table does not exist."""

    def read(self, name: str, snapshot_id: int) -> pa.Table | pa.RecordBatchReader:
        """All rows of a gold table at a snapshot; timestamps naive UTC."""


def bind(sql: str, values: Values) -> tuple[str, list[Any]]:
    """The query with a `?` for each `:name`, and the values in order; a tuple becomes a list in brackets."""
    bound: list[Any] = []

    def place(match: re.Match[str]) -> str:
        value = values[match[1]]
        if not isinstance(value, tuple):
            bound.append(value)
            return "?"
        bound.extend(value)
        return f"({', '.join('?' * len(value)) or 'NULL'})"

    return _NAME.sub(place, sql), bound


def spell_out(sql: str, values: Values) -> str:
    """The query with its values as literals, for people to read and run."""

    def literal(value: Value) -> str:
        if isinstance(value, tuple):
            return f"({', '.join(map(literal, value)) or 'NULL'})"
        if isinstance(value, date):
            return f"DATE '{value.isoformat()}'"
        return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"

    return _NAME.sub(lambda match: literal(values[match[1]]), sql)


def open_backend(settings: Settings) -> Backend:
    """The engine named in the settings.

    Raises:
        UnavailableError: there is no data, or it cannot be reached.
    """
    return Trino(settings) if settings.engine == "trino" else Embedded(settings)


class Embedded:
    """PyIceberg reads the snapshots in this process."""

    def __init__(self, settings: Settings) -> None:
        uri = catalog_uri(settings)
        path = Path(uri.removeprefix("sqlite:///"))
        if uri.startswith("sqlite:///") and not path.is_file():
            raise UnavailableError(f"No data in {path.parent} yet. Run the pipeline, or set DATA_DIR.")
        self._catalog: Catalog = _reading("the catalog", lambda: load_catalog(CATALOG, **read_only_properties(settings)))

    def current(self, name: str) -> pa.Table:
        def read() -> pa.Table:
            try:
                return self._catalog.load_table(name).scan().to_arrow()
            except (NoSuchTableError, NoSuchNamespaceError):
                return pa.table({})

        return _reading(name, read)

    def read(self, name: str, snapshot_id: int) -> pa.RecordBatchReader:
        def read() -> pa.RecordBatchReader:
            return self._catalog.load_table(f"{GOLD}.{name}").scan(snapshot_id=snapshot_id).to_arrow_batch_reader()

        return _reading(name, read)


class Trino:
    """A Trino server reads the snapshots by `FOR VERSION AS OF`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def current(self, name: str) -> pa.Table:
        try:
            return self._rows(f"SELECT * FROM {CATALOG}.{name}")  # noqa: S608 - the names are our own
        except UnavailableError as error:
            if getattr(error.__cause__, "error_name", None) in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
                return pa.table({})
            raise

    def read(self, name: str, snapshot_id: int) -> pa.Table:
        sql = f'SELECT * FROM {CATALOG}.{GOLD}."{name}" FOR VERSION AS OF {snapshot_id}'  # noqa: S608 - matched by _TABLE
        return self._rows(sql, as_sent=True)

    def _rows(self, sql: str, *, as_sent: bool = False) -> pa.Table:
        """The rows; with `as_sent`, Arrow parses dates and times by column, much faster than the client by value."""
        # Loaded only where Trino is the engine: one machine does without.
        import trino

        settings = self._settings
        password = settings.trino_password
        connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
            host=settings.trino_host,
            port=settings.trino_port,
            user=settings.trino_user,
            auth=trino.auth.BasicAuthentication(settings.trino_user, password.get_secret_value()) if password else None,
            http_scheme="https" if password else "http",
            timezone="UTC",
            catalog=CATALOG,
            source="lakepulse-dashboard",
            request_timeout=settings.timeout_seconds,
            legacy_primitive_types=as_sent,
        )
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                schema = pa.schema([(column.name, _arrow_type(column.type_code)) for column in cursor.description])
                # As Python objects, rows take many times the memory.
                batches = [_batch(rows, schema) for rows in iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), [])]
        except (trino.exceptions.Error, trino.exceptions.HttpError, OSError) as error:
            where = f"{settings.trino_host}:{settings.trino_port}"
            raise UnavailableError(f"The query failed on Trino at {where}: {one_line(error)[:300]}") from error
        return pa.Table.from_batches(batches, schema)


_ARROW_TYPES = {
    "bigint": pa.int64(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "map(varchar, bigint)": pa.map_(pa.string(), pa.int64()),
}


def _arrow_type(name: str) -> pa.DataType:
    if name.startswith("timestamp"):
        return pa.timestamp("us", tz="UTC" if name.endswith("with time zone") else None)
    return _ARROW_TYPES.get(name, pa.string())


def _batch(rows: list[list[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = [_column(column, kind) for column, kind in zip(zip(*rows, strict=True), schema.types, strict=True)]
    return pa.record_batch(columns, schema)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    first = next((value for value in values if value is not None), None)
    if pa.types.is_temporal(kind) and isinstance(first, str):
        return pa.array(values, pa.string()).cast(kind)
    if pa.types.is_floating(kind):
        # NaN and the infinities arrive as text.
        values = [float(value) if isinstance(value, str) else value for value in values]
    elif pa.types.is_map(kind):
        values = [None if value is None else list(value.items()) for value in values]
    return pa.array(values, kind)


class Snapshot:
    """The gold tables of one publication.

    Each is copied to a file of this process when a query first uses it. All sessions share the copies.
    """

    def __init__(self, backend: Backend, publication: Publication) -> None:
        self._backend = backend
        self._publication = publication
        self._loaded: set[str] = set()
        self._lock = Lock()
        folder = _reading("the temporary folder", lambda: Path(mkdtemp(prefix="lakepulse-")))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._database = duckdb.connect(str(folder / "lake.duckdb"))
        self._database.execute(f"CREATE SCHEMA {GOLD}")
        self._database.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'; SET TimeZone = 'UTC'")
        self._database.execute("SET enable_external_access = false")

    def run(self, sql: str, values: Values) -> pa.Table:
        """The query's rows; sums of integers are int64, timestamps naive UTC.

        Raises:
            OutdatedError: the publication has no such table or column.
            UnavailableError: a table cannot be read, or the query fails.
        """
        self._load({*_TABLE.findall(sql)})
        text, bound = bind(sql, values)
        try:
            with self._database.cursor() as cursor:
                rows = cursor.sql(text, params=bound).to_arrow_table()
        except duckdb.Error as error:
            # The pages' queries fit the tables of today.
            if missing := _MISSING_COLUMN.search(str(error)):
                raise self._outdated(f"column {missing[1]}") from error
            raise UnavailableError(f"The query failed: {one_line(error)[:300]}") from error
        # DuckDB sums bigint to a 128-bit integer, which is a decimal in Arrow.
        types = [
            pa.int64() if pa.types.is_decimal(field.type) and not field.type.scale else field.type for field in rows.schema
        ]
        return rows.cast(pa.schema(zip(rows.schema.names, types, strict=True)))

    def _outdated(self, what: str) -> OutdatedError:
        made = self._publication
        return OutdatedError(
            f"The publication as of {made.as_of} was made by lakepulse {made.code_version}, without the {what}. Choose a later "
            "day in As of to see this."
        )

    def _load(self, names: set[str]) -> None:
        # A query on tables that are already copied does not wait for copies made for another session.
        if names <= self._loaded:
            return
        with self._lock, ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
            list(pool.map(self._copy, names - self._loaded))

    def _copy(self, name: str) -> None:
        try:
            snapshot_id = self._publication.snapshots[name]
        except KeyError:
            raise self._outdated(f"table {name}") from None

        def copy() -> None:
            rows = self._backend.read(name, snapshot_id)
            with self._database.cursor() as cursor:
                cursor.register("rows", rows)
                cursor.execute(f'CREATE TABLE {GOLD}."{name}" AS SELECT * FROM rows')  # noqa: S608 - matched by _TABLE
            del rows
            pa.default_memory_pool().release_unused()

        _reading(name, copy)
        self._loaded.add(name)


def _reading(what: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except UnavailableError:
        raise
    except Exception as error:
        raise UnavailableError(f"Cannot read {what}: {one_line(error)[:300]}") from error
