"""The Iceberg catalog as this stage uses it, and the two tables that tell about runs."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog

from lakepulse.catalog import pyiceberg_properties
from lakepulse.names import CATALOG, GOLD, OPS, PUBLICATIONS, RUNS
from lakepulse.settings import Settings

TABLE_PROPERTIES = {
    "format-version": "2",  # Trino and PyIceberg cannot take v3
    # Each publication tags every table, which is a new metadata file each time.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}

_UTC = pa.timestamp("us", tz="UTC")

PUBLICATIONS_SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("as_of", pa.date32()),
        ("published_at", _UTC),
        ("is_demo", pa.bool_()),
        ("code_version", pa.string()),
        ("snapshots", pa.map_(pa.string(), pa.int64())),
        ("row_counts", pa.map_(pa.string(), pa.int64())),
    ]
)
"""`snapshots` and `row_counts` are keyed by the table's name in the namespace `gold`."""

RUNS_SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("pipeline", pa.string()),
        ("is_demo", pa.bool_()),
        ("as_of", pa.date32()),
        ("started_at", _UTC),
        ("ended_at", _UTC),
        ("outcome", pa.string()),
        ("failed_step", pa.string()),
        ("message", pa.string()),
        ("steps", pa.string()),
    ]
)
"""`outcome` is `succeeded` or `failed`, `steps` a JSON list of step reports."""


def open_catalog(settings: Settings) -> Catalog:
    """The catalog, with the tables that readers expect even before the first run has ended."""
    catalog = load_catalog(CATALOG, **pyiceberg_properties(settings))
    for namespace in (GOLD, OPS):
        catalog.create_namespace_if_not_exists(namespace)
    catalog.create_table_if_not_exists(PUBLICATIONS, PUBLICATIONS_SCHEMA, properties=TABLE_PROPERTIES)
    catalog.create_table_if_not_exists(RUNS, RUNS_SCHEMA, properties=TABLE_PROPERTIES)
    return catalog
