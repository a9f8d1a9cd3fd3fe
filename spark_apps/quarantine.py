"""The table `raw.quarantine`: what a load held back, with the reason.

A row is a line that could not be used, with its raw JSON, or (`kind` is `landing`) a scope that was refused
from one landing on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it

from lakepulse.locks import lock
from lakepulse.names import QUARANTINE
from lakepulse.settings import Settings
from spark_apps.iceberg import assignments, ensure_table, full_name, merge_into
from spark_apps.ledger import rows_frame
from spark_apps.plan import Refusal

LINE = "line"
LANDING = "landing"

LAYOUT = {
    "landing_id": "string",
    "source": "string",
    "scope": "string",
    "table_name": "string",
    # LINE (null: of a version that knew no other) or LANDING, whose `page_file` is empty and `line` 0.
    "kind": "string",
    "page_file": "string",
    "line": "int",
    # Rows held back.
    "row_count": "bigint",
    "reason": "string",
    "payload": "string",
    "load_seq": "bigint",
    "loaded_at": "timestamp",
    "resolved_at": "timestamp",
}
_KEY = ("landing_id", "page_file", "line")
_IS_LINE = f"coalesce(kind, '{LINE}') = '{LINE}'"


def hold_back(session: SparkSession, settings: Settings, rows: DataFrame) -> None:
    """Add the lines `rows` (columns as in LAYOUT without `resolved_at`); rows that exist stay as they are.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    with lock(settings, QUARANTINE):
        ensure_table(session, QUARANTINE, LAYOUT)
        columns = [name for name in LAYOUT if name != "resolved_at"]
        merge_into(rows, QUARANTINE, _KEY).whenNotMatched().insert(assignments(columns)).merge()


def _exists(session: SparkSession) -> bool:
    """Whether there is a table, which then has all columns."""
    if not session.catalog.tableExists(full_name(QUARANTINE)):
        return False
    ensure_table(session, QUARANTINE, LAYOUT)
    return True


def unresolved(session: SparkSession, table: str) -> dict[str, str]:
    """The oldest landing that still has a line of `table` in quarantine, by scope."""
    if not _exists(session):
        return {}
    found = session.sql(
        f"SELECT min(landing_id) AS oldest FROM {full_name(QUARANTINE)} WHERE resolved_at IS NULL AND table_name = :table"
        f" AND {_IS_LINE} GROUP BY substring_index(landing_id, '/', 2)",
        args={"table": table},
    ).collect()
    return {row.oldest.rsplit("/", 1)[0]: row.oldest for row in found}


def resolve(
    session: SparkSession, settings: Settings, table: str, *, landings: DataFrame, still_bad: DataFrame, load_seq: int
) -> int:
    """Mark lines of `landings` that are not in `still_bad` as resolved; returns their number.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    with lock(settings, QUARANTINE):
        held = session.read.table(full_name(QUARANTINE)).where((F.col("table_name") == table) & F.col("resolved_at").isNull())
        settled = (
            held.where(_IS_LINE)
            .select(*_KEY)
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


def refuse(
    session: SparkSession, settings: Settings, refusals: Iterable[Refusal], tables: Collection[str], load_seq: int
) -> None:
    """Make `refusals` the refusals of `tables` that stand: any other of them is resolved.

    Raises:
        TemporaryError: another run holds the table's lock.
    """
    due = {refusal.landing_id: refusal for refusal in refusals}
    if not due and not _exists(session):
        return
    with lock(settings, QUARANTINE):
        ensure_table(session, QUARANTINE, LAYOUT)
        standing_rows = session.read.table(full_name(QUARANTINE)).where(f"kind = '{LANDING}' AND resolved_at IS NULL")
        found = standing_rows.select("landing_id", "table_name", "reason").collect()
        standing = {row.landing_id: row.reason for row in found if row.table_name in tables}
        now = datetime.now(UTC)
        new = [
            {
                "landing_id": refusal.landing_id,
                "source": refusal.source,
                "scope": refusal.scope,
                "table_name": refusal.table,
                "kind": LANDING,
                "page_file": "",
                "line": 0,
                "row_count": refusal.rows,
                "reason": refusal.reason,
                "load_seq": load_seq,
                "loaded_at": now,
            }
            for refusal in due.values()
            if standing.get(refusal.landing_id) != refusal.reason
        ]
        if new:
            merge = merge_into(rows_frame(session, new, LAYOUT), QUARANTINE, _KEY)
            merge.whenMatched().update(assignments(LAYOUT)).whenNotMatched().insert(assignments(LAYOUT)).merge()
        over = [
            {"landing_id": name, "page_file": "", "line": 0, "resolved_at": now, "load_seq": load_seq}
            for name in standing.keys() - due.keys()
        ]
        if over:
            resolved = ("resolved_at", "load_seq")
            frame = rows_frame(session, over, {name: LAYOUT[name] for name in (*_KEY, *resolved)})
            merge_into(frame, QUARANTINE, _KEY).whenMatched().update(assignments(resolved)).merge()
