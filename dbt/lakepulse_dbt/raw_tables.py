"""Columns of the raw Iceberg tables, as the dbt project's sources declare them, in Trino's types.

`spark_apps` owns the tables; the declaration is what bronze relies on. A table that has no landing
yet is thus an empty relation of the right types, an older table lacks no column, and nothing else
is read: least of all `payload`, the unparsed JSON, which is by far the largest column.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import yaml

from lakepulse.names import RAW
from lakepulse.outcome import PermanentError

_TYPES: dict[str, pa.DataType] = {
    "array(varchar)": pa.list_(pa.string()),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "integer": pa.int32(),
    "timestamp(6) with time zone": pa.timestamp("us", tz="UTC"),
    "varchar": pa.string(),
}


def project_folder() -> Path:
    """The dbt project: beside this package, unless dbt's own variable says otherwise."""
    return Path(os.environ.get("DBT_PROJECT_DIR") or Path(__file__).resolve().parents[1])


def declared_tables(project: Path) -> dict[str, pa.Schema]:
    """Raw table -> its declared columns, from the project's `*sources.yml`.

    Raises:
        PermanentError: a column has no type, or one that is not known here.
    """
    tables: dict[str, pa.Schema] = {}
    for path in sorted((project / "models").rglob("*sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            if source.get("schema", source["name"]) == RAW:
                for table in source["tables"]:
                    columns = [(column["name"], _type(column, f"{path}: {table['name']}")) for column in table["columns"]]
                    tables[table["name"]] = pa.schema(columns)
    return tables


def _type(column: dict[str, str], where: str) -> pa.DataType:
    declared = column.get("data_type", "")
    if declared not in _TYPES:
        raise PermanentError(f"{where}.{column['name']}: data_type {declared!r} is none of {', '.join(_TYPES)}")
    return _TYPES[declared]
