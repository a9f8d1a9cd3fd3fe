"""The table `raw.quarantine`: rows that could not be typed, with the reason and the raw JSON."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it

from lakepulse.locks import lock
from lakepulse.names import QUARANTINE
from lakepulse.settings import Settings
from spark_apps.iceberg import assignments, ensure_table, full_name, merge_into

LAYOUT = {
    "landing_id": "string",
    "source": "string",
    "scope": "string",
    "table_name": "string",
    "page_file": "string",
    "line": "int",
    "reason": "string",
    "payload": "string",
    "load_seq": "bigint",
    "loaded_at": "timestamp",
    "resolved_at": "timestamp",
}
_KEY = ("landing_id", "page_file", "line")


def hold_back(session: SparkSession, settings: Settings, rows: DataFrame) -> None:
    """Add `rows` (columns as in LAYOUT without `resolved_at`); rows that exist stay as they are.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    with lock(settings, QUARANTINE):
        ensure_table(session, QUARANTINE, LAYOUT)
        columns = [name for name in LAYOUT if name != "resolved_at"]
        merge_into(rows, QUARANTINE, _KEY).whenNotMatched().insert(assignments(columns)).merge()


def unresolved(session: SparkSession, table: str) -> dict[str, str]:
    """The oldest landing that still has a row of `table` in quarantine, by scope."""
    if not session.catalog.tableExists(full_name(QUARANTINE)):
        return {}
    found = session.sql(
        f"SELECT min(landing_id) AS oldest FROM {full_name(QUARANTINE)} WHERE resolved_at IS NULL AND table_name = :table"
        " GROUP BY substring_index(landing_id, '/', 2)",
        args={"table": table},
    ).collect()
    return {row.oldest.rsplit("/", 1)[0]: row.oldest for row in found}


def resolve(
    session: SparkSession, settings: Settings, table: str, *, landings: DataFrame, still_bad: DataFrame, load_seq: int
) -> int:
    """Mark rows of `landings` that are not in `still_bad` as resolved; returns their number.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    with lock(settings, QUARANTINE):
        held = session.read.table(full_name(QUARANTINE)).where((F.col("table_name") == table) & F.col("resolved_at").isNull())
        settled = (
            held.select(*_KEY)
            .join(landings, "landing_id", "left_semi")
            .join(still_bad, list(_KEY), "left_anti")
            .withColumn("resolved_at", F.current_timestamp())
            .withColumn("load_seq", F.lit(load_seq).cast("bigint"))
            .persist()
        )
        count = settled.count()
        if count:
            merge_into(settled, QUARANTINE, _KEY).whenMatched().update(assignments(("resolved_at", "load_seq"))).merge()
        settled.unpersist()
        return count
