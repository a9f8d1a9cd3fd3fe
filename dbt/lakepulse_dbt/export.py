"""Write the newest publication as files that any tool reads."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import structlog
from pyarrow import csv, parquet

from lakepulse.data_dir import look_into_data_dir
from lakepulse.names import GOLD
from lakepulse.publications import newest_publication, read_table
from lakepulse.settings import Settings
from lakepulse_dbt.folders import whole_folder, write_json
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
            write_json(partial / MANIFEST, newest.manifest())
    log.info("exported", folder=str(out), tables=len(newest.snapshots), rows=sum(newest.row_counts.values()))


def _iso(rows: pa.Table) -> pa.Table:
    """Timestamps as ISO 8601 text; Arrow's own CSV form has a blank for the T."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(rows.column(index), format="%Y-%m-%dT%H:%M:%S")
            rows = rows.set_column(index, field.name, text)
    return rows
