"""Read every table of attached lakes with one client, and print what it read: `python read.py <client> <address>...`.

Run with the packages of clients.lock, or for Spark with the project's own. The result is a JSON object:
address -> table -> [rows, SHA-256 of the rows as text in any order].
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

README = Path(__file__).parents[2] / "README.md"
Read = Callable[[str], dict[str, Any]]
"""Address -> table name -> Arrow table."""


def duckdb(address: str) -> dict[str, Any]:
    import duckdb
    from duckdb_extensions import import_extension

    with duckdb.connect() as connection:
        for extension in ("httpfs", "avro", "iceberg"):
            import_extension(extension, con=connection)
            connection.load_extension(extension)
        [attach] = re.findall(r"^attach .*;$", README.read_text(encoding="utf-8"), re.MULTILINE)
        connection.execute(attach.replace("http://127.0.0.1:8700", address))
        connection.execute("set timezone = 'UTC'")
        listed = connection.sql("select table_name from duckdb_tables() where database_name = 'lake'").fetchall()
        return {name: connection.sql(f"from lake.gold.{name}").to_arrow_table() for (name,) in listed}


def _pyiceberg_tables(address: str) -> dict[str, Any]:
    from pyiceberg.catalog import load_catalog

    catalog = load_catalog("lake", type="rest", uri=address)
    return {name: catalog.load_table((namespace, name)) for namespace, name in catalog.list_tables("gold")}


def pyiceberg(address: str) -> dict[str, Any]:
    return {name: table.scan().to_arrow() for name, table in _pyiceberg_tables(address).items()}


def polars(address: str) -> dict[str, Any]:
    import polars

    found = {}
    for name, table in _pyiceberg_tables(address).items():
        options = {key: value for key, value in table.io.properties.items() if key.startswith("s3.")}
        found[name] = polars.scan_iceberg(table, storage_options=options).collect().to_arrow()
    return found


def spark(address: str) -> dict[str, Any]:
    from pyspark.sql import SparkSession

    catalog = f"lake{hashlib.sha256(address.encode()).hexdigest()[:8]}"
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": os.environ["JARS"],
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.conf.set(f"spark.sql.catalog.{catalog}", "org.apache.iceberg.spark.SparkCatalog")
    session.conf.set(f"spark.sql.catalog.{catalog}.type", "rest")
    session.conf.set(f"spark.sql.catalog.{catalog}.uri", address)
    names = [row.tableName for row in session.sql(f"show tables in {catalog}.gold").collect()]
    return {name: session.table(f"{catalog}.gold.{name}").toArrow() for name in names}


def digest(table: Any) -> list[Any]:
    """The number of rows, and a hash that knows neither their order nor the client's types of text and time."""
    lines = sorted(repr(sorted((name, _plain(value)) for name, value in row.items())) for row in table.to_pylist())
    return [len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)).isoformat()
    return str(value) if value is not None and not isinstance(value, int | float) else value


CLIENTS: dict[str, Read] = {"duckdb": duckdb, "pyiceberg": pyiceberg, "polars": polars, "spark": spark}

if __name__ == "__main__":
    client, *addresses = sys.argv[1:]
    read = CLIENTS[client]
    print(json.dumps({address: {name: digest(rows) for name, rows in read(address).items()} for address in addresses}))
