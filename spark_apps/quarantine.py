"""The table `raw.quarantine`: rows that could not be typed, with the reason and the raw JSON."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from lakepulse.locks import lock
from lakepulse.names import QUARANTINE
from lakepulse.settings import Settings
from spark_apps.iceberg import ensure_table, full_name

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
_SAME = "t.landing_id = s.landing_id AND t.page_file = s.page_file AND t.line = s.line"


def hold_back(session: SparkSession, settings: Settings, rows: DataFrame) -> None:
    """Add `rows` (columns as LAYOUT but `resolved_at`); those already there stay as they are.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    with lock(settings, QUARANTINE):
        ensure_table(session, QUARANTINE, LAYOUT)
        rows.createOrReplaceTempView("held_back")
        columns = [name for name in LAYOUT if name != "resolved_at"]
        session.sql(
            f"MERGE INTO {full_name(QUARANTINE)} t USING held_back s ON {_SAME}"
            f" WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(f's.{name}' for name in columns)})"
        )


def unresolved(session: SparkSession, table: str) -> dict[str, str]:
    """The oldest landing with a row of `table` that is still held back, by scope."""
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
    """Mark what was held back of `landings` and is not in `still_bad` as resolved; returns how many rows.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    with lock(settings, QUARANTINE):
        landings.createOrReplaceTempView("replayed")
        still_bad.createOrReplaceTempView("still_bad")
        settled = session.sql(
            f"SELECT t.landing_id, t.page_file, t.line FROM {full_name(QUARANTINE)} t"
            " LEFT SEMI JOIN replayed r ON t.landing_id = r.landing_id"
            f" LEFT ANTI JOIN still_bad s ON {_SAME}"
            " WHERE t.resolved_at IS NULL AND t.table_name = :table",
            args={"table": table},
        ).persist()
        count = settled.count()
        if count:
            settled.createOrReplaceTempView("settled")
            session.sql(
                f"MERGE INTO {full_name(QUARANTINE)} t USING settled s ON {_SAME} WHEN MATCHED THEN UPDATE SET"
                f" resolved_at = current_timestamp(), load_seq = {load_seq}"
            )
        settled.unpersist()
        return count
