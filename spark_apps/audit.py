"""The audits of a load: of what was read, by scope, and of the branch that main moves to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it

from lakepulse.landing import fetch_again
from lakepulse.names import RAW
from lakepulse.outcome import PermanentError
from spark_apps.iceberg import BRANCH, BRANCH_NAME, IcebergTable, full_name
from spark_apps.ledger import scope_of
from spark_apps.plan import Refusal
from spark_apps.schema import EARLIEST, LATEST, ODD, Table
from spark_apps.staging import INSERT, REMOVAL, WRITTEN, Batch

_FEW_REMOVED = 100
"""Up to so many rows may disappear at once without suspicion."""


@dataclass(frozen=True, slots=True)
class Count:
    """Staged rows of one landing and action."""

    landing_id: str
    action: str
    is_odd: bool
    rows: int


def count_rows(staged: DataFrame) -> list[Count]:
    """Rows by landing, by action, and by whether they are odd."""
    found = staged.groupBy("landing_id", "action", F.isnotnull(ODD).alias("is_odd")).count().collect()
    return [Count(*row) for row in found]


def audit_read(batch: Batch, counts: list[Count]) -> list[Refusal]:
    """Refusals of landings whose number of rows is not their manifest's."""
    read: Counter[str] = Counter()
    for count in counts:
        if count.action != REMOVAL:
            read[count.landing_id] += count.rows
    return [
        Refusal.of(
            manifest,
            batch.table.name,
            what=f"landing {manifest.landing_id} has {read[manifest.landing_id]} rows, its manifest says {manifest.rows}",
            what_to_do=fetch_again(manifest.landing_id),
        )
        for manifest in batch.landings
        if read[manifest.landing_id] != manifest.rows
    ]


def audit_removals(session: SparkSession, batch: Batch, staged: DataFrame, counts: list[Count]) -> list[Refusal]:
    """Refusals of scopes whose keys files together would mark more than half of their rows as gone.

    All of a scope's keys files wait: a later one that lists the rows again undoes an earlier one.
    """
    table, removal = batch.table, batch.table.removal
    if removal is None or sum(count.rows for count in counts if count.action == REMOVAL) <= _FEW_REMOVED:
        return []
    gone = str(removal.gone_value).lower()
    scope = F.col(table.scope).cast("string").alias("value")
    # Two listings may be of one repository, as after a rename in the project list.
    listing = F.substring_index("landing_id", "/", 2).alias("listing")
    lost = staged.where(f"action = '{REMOVAL}' AND {removal.column} = {gone}")
    found = lost.groupBy(scope, listing).count().collect()
    rows: Counter[str] = Counter()
    for row in found:
        rows[row["value"]] += row["count"]
    many = [value for value, count in rows.items() if count > _FEW_REMOVED]
    if not many:
        return []
    held = session.read.table(full_name(f"{RAW}.{table.name}")).where(
        f"{removal.column} <> {gone} AND {table.scope} IN ({table.scope_literals(many)})"
    )
    total = {row["value"]: row["count"] for row in held.groupBy(scope).count().collect()}
    first = {scope_of(manifest.landing_id): manifest for manifest in reversed(batch.sweeps.values())}
    return [
        Refusal.of(
            first[row["listing"]],
            table.name,
            rows=rows[row["value"]],
            what=f"upstream no longer lists {rows[row['value']]} of {total[row['value']]} rows of {RAW}.{table.name}",
            what_to_do="if they were deleted there, run again with ALLOW_SHRINK=1",
        )
        for row in found
        if row["value"] in many and 2 * rows[row["value"]] > total[row["value"]]
    ]


def audit_branch(
    session: SparkSession, table: Table, target: IcebergTable, *, rows_before: int, total: Counter[str], load_seq: int
) -> None:
    """Check the branch before main moves to it: its keys and rows, and the dates of the rows that are written.

    Raises:
        PermanentError: keys have several rows, rows are missing or surplus, or a date is out of range.
    """
    keys = ", ".join(table.key)
    rows = session.table(f"{full_name(f'{RAW}.{table.name}')}.{BRANCH_NAME}")
    written = F.col("load_seq") == load_seq
    days = {column: F.when(written, F.col(column).cast("date")) for column in table.dates}
    bounds = [pair for c, day in days.items() for pair in (F.min(day).alias(f"lo_{c}"), F.max(day).alias(f"hi_{c}"))]
    by_key = rows.groupBy(*table.key).agg(F.count("*").alias("n"), F.count_if(written).alias("fresh"), *bounds)
    found = by_key.agg(
        F.coalesce(F.sum("n"), F.lit(0)).alias("n"),
        F.coalesce(F.max("n"), F.lit(0)).alias("most"),
        F.coalesce(F.sum("fresh"), F.lit(0)).alias("fresh"),
        *(pair for c in table.dates for pair in (F.min(f"lo_{c}").alias(f"lo_{c}"), F.max(f"hi_{c}").alias(f"hi_{c}"))),
    ).collect()[0]
    problems = []
    if found.most > 1:
        problems.append(f"a key ({keys}) has {found.most} rows")
    if found.n != rows_before + total[INSERT]:
        problems.append(f"{found.n} rows, not {rows_before} + {total[INSERT]}")
    due = sum(total[action] for action in WRITTEN)
    if found.fresh != due:
        problems.append(f"{found.fresh} rows written, not {due}")
    for column in table.dates:
        low, high = found[f"lo_{column}"], found[f"hi_{column}"]
        if low is not None and (str(low) < EARLIEST or str(high) >= LATEST):
            problems.append(f"{column} from {low} to {high}")
    if problems:
        snapshot = target.snapshot(BRANCH)
        where = f"branch {BRANCH}, snapshot {snapshot.snapshot_id}" if snapshot else f"branch {BRANCH}"
        raise PermanentError(f"audit of {RAW}.{table.name} failed ({'; '.join(problems)}); main is unchanged, see {where}")
