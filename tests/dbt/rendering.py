"""The dbt project's SQL without dbt: Jinja alone renders it for DuckDB, in memory and in milliseconds."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pyarrow as pa

from tests.dbt.lake import RAW_TABLES, ROOT

MODELS = {path.stem: path for path in (ROOT / "dbt" / "models").rglob("*.sql")}


class _Returned(Exception):  # noqa: N818 - no error: dbt's `return` leaves a macro early
    def __init__(self, value: Any) -> None:
        self.value = value


def _return(value: Any) -> None:
    raise _Returned(value)


class Rendering:
    """The macros and models of a run, by the names that dbt gives them."""

    def __init__(self, as_of: str, projects: Iterable[Mapping[str, str]] = ()) -> None:
        self.settings = {"as_of": as_of, "projects": list(projects), "raw_snapshots": None}
        self.environment = jinja2.Environment(
            extensions=["jinja2.ext.do"],
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701 - SQL
        )
        self.environment.globals |= {
            "adapter": SimpleNamespace(dispatch=lambda name: getattr(self.macros, f"duckdb__{name}")),
            "config": lambda **_: "",
            "execute": True,
            "modules": SimpleNamespace(datetime=datetime),
            "ref": self._ref,
            "return": _return,
            "run_started_at": datetime.datetime.fromisoformat(f"{as_of}T12:00:00"),
            "var": self.settings.__getitem__,
        }
        self._refs: set[str] = set()
        self._models: dict[str, tuple[str, list[str]]] = {}

    @cached_property
    def macros(self) -> Any:
        files = sorted((ROOT / "dbt" / "macros").rglob("*.sql"))
        return self.environment.from_string("".join(path.read_text(encoding="utf-8") for path in files)).module

    def _ref(self, name: str) -> str:
        self._refs.add(name)
        return name

    def called(self, name: str) -> Callable[..., Any]:
        """A macro as a function, which also gives what dbt's `return` returns."""
        macro = getattr(self.macros, name)

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return macro(*arguments, **named)
            except _Returned as returned:
                return returned.value

        return call

    def expression(self, text: str) -> str:
        """What a Jinja text says, as SQL."""
        named = {name: self.called(name) for name in vars(self.macros) if not name.startswith("_")}
        return self.environment.from_string(text).render(named)

    def model(self, name: str) -> tuple[str, list[str]]:
        """A model's SQL, and the tables that it reads."""
        if name not in self._models:
            self._refs = set()
            self._models[name] = (self.expression(MODELS[name].read_text(encoding="utf-8")), sorted(self._refs))
        return self._models[name]

    def build(self, connection: duckdb.DuckDBPyConnection, *names: str) -> None:
        """Make the models' tables, and first what they read that is not there yet."""
        for name in names:
            if not connection.execute("select 1 from duckdb_tables() where table_name = ?", [name]).fetchone():
                sql, refs = self.model(name)
                self.build(connection, *refs)
                connection.execute(f"create table {name} as {sql}")


def database() -> duckdb.DuckDBPyConnection:
    """An empty database in memory; one thread, since little rows gain nothing by more."""
    return duckdb.connect(config={"threads": 1})


def table(connection: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Mapping[str, Any]], **types: str) -> None:
    """A table of the columns `types` (name to DuckDB type) with these rows, null where a row says nothing."""
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    connection.execute(f"create or replace table {name} ({columns})")
    listed = [tuple(row.get(column) for column in types) for row in rows]
    if listed:
        connection.executemany(f"insert into {name} values ({', '.join('?' * len(types))})", listed)  # noqa: S608 - of tests


def bronze(connection: duckdb.DuckDBPyConnection, **tables: Iterable[Mapping[str, Any]]) -> None:
    """Bronze tables with these rows, and all others of bronze without any. Moments are UTC and carry no zone."""
    for name, declared in RAW_TABLES.items():
        kinds = [pa.timestamp("us") if pa.types.is_timestamp(kind) else kind for kind in declared.types]
        schema = pa.schema(list(zip(declared.names, kinds, strict=True)))
        rows = [{column: row.get(column) for column in schema.names} for row in tables.get(name, ())]
        connection.register("landed", pa.Table.from_pylist(rows, schema=schema))
        connection.execute(f"create or replace table bronze_{name} as select * from landed")  # noqa: S608 - declared names
        connection.unregister("landed")
