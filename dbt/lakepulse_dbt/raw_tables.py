"""Columns of the raw Iceberg tables, as the dbt project's sources declare them, in Trino's types.

`spark_apps` owns the tables, and `make render` writes the declaration. A table without landings is thus
an empty relation of the right types, a column that an older table lacks is null, and nothing else is
read: least of all `payload`, the unparsed JSON, which is by far the largest column.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pyarrow as pa
import yaml

from lakepulse.names import RAW
from lakepulse.outcome import PermanentError
from lakepulse.sources import SOURCES, raw_tables

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
    """The dbt project: the folder of this package, unless dbt's own variable names another."""
    return Path(os.environ.get("DBT_PROJECT_DIR") or Path(__file__).resolve().parents[1])


def declared_tables(project: Path) -> dict[str, pa.Schema]:
    """Raw table -> its declared columns, from the project's `*sources.yml`.

    Raises:
        PermanentError: a column has no type, or an unknown one.
    """
    tables: dict[str, pa.Schema] = {}
    for path in sorted((project / "models").rglob("*sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            if source.get("schema", source["name"]) == RAW:
                for table in source["tables"]:
                    columns = [(column["name"], _type(column, f"{path}: {table['name']}")) for column in table["columns"]]
                    tables[table["name"]] = pa.schema(columns)
    return tables


def check_rendered(project: Path) -> None:
    """Compare what `make render` wrote into the project with the register of sources.

    A project without any of it, such as a small one of the tests, passes.

    Raises:
        PermanentError: a raw table has no source or bronze model, or a source or raw table is missing in the seed
            `sources` or in the macros that models loop over.
    """
    macros = project / "macros" / "rendered.sql"
    if not macros.exists():
        return
    declared, bronze, seed = declared_tables(project), project / "models" / "bronze", project / "seeds" / "sources.csv"
    problems = [f"raw table {name} has no source" for name in raw_tables() if name not in declared]
    models = [bronze / f"bronze_{name}.sql" for name in declared]
    problems += [f"raw table {path.stem.removeprefix('bronze_')} has no {path}" for path in models if not path.exists()]
    looped = macros.read_text(encoding="utf-8")
    problems += [f"{name} is missing in {macros}" for name in (*raw_tables(), *SOURCES) if f"'name': '{name}'" not in looped]
    with seed.open(encoding="utf-8", newline="") as file:
        seeded = {row["source"]: (row["kind"], row["stale_after_hours"], row["is_optional"]) for row in csv.DictReader(file)}
    registered = {
        entry.name: (entry.scope, str(entry.stale_after_hours), str(entry.is_optional).lower()) for entry in SOURCES.values()
    }
    different = sorted(name for name in seeded.keys() | registered.keys() if seeded.get(name) != registered.get(name))
    problems += [f"source {name} differs between lakepulse/sources.py and {seed}" for name in different]
    if problems:
        raise PermanentError(f"{'; '.join(problems)}; run make render")


def _type(column: dict[str, str], where: str) -> pa.DataType:
    declared = column.get("data_type", "")
    if declared not in _TYPES:
        raise PermanentError(f"{where}.{column['name']}: data_type {declared!r} is not one of {', '.join(_TYPES)}")
    return _TYPES[declared]
