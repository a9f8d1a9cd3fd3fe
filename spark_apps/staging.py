"""From landed pages to typed rows, each with what a load has to do about it.

Spark expressions only: no row passes through Python. One read takes all pages of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it
from pyspark.storagelevel import StorageLevel

from lakepulse.landing import KEYS_FILE, Manifest, landing_path
from lakepulse.names import RAW
from lakepulse.settings import Settings
from spark_apps.iceberg import full_name
from spark_apps.ledger import rows_frame, scope_of
from spark_apps.schema import Removal, Table

# What a staged row asks for.
INSERT = "insert"
UPDATE = "update"
REMOVAL = "removal"  # a keys file says that a row is gone, or is back
REVIVAL = "revival"  # an older version than the table's, of a row that was thought gone
SAME = "same"
STALE = "stale"  # an older version than the table's
DUPLICATE = "duplicate"  # a better version is in the same batch
BAD = "bad"

WRITTEN = (INSERT, UPDATE, REMOVAL, REVIVAL)

_FEW_ROWS = 100_000
"""A batch up to this size finds its rows in the table by a broadcast of its keys."""

_ID_PATTERN = "([^/]+/[^/]+/[0-9]{8})/[^/]+$"


@dataclass(frozen=True, slots=True)
class Batch:
    """Landings of one table that are loaded together, each scope's in order."""

    table: Table
    landings: tuple[Manifest, ...]

    @property
    def rows(self) -> int:
        return sum(manifest.rows for manifest in self.landings)

    @property
    def sweeps(self) -> dict[str, Manifest]:
        """The last landing with a keys file of each scope: what it says overrides the ones before."""
        if self.table.removal is None:
            return {}
        return {scope_of(manifest.landing_id): manifest for manifest in self.landings if manifest.has_keys}

    @property
    def newest(self) -> list[str]:
        """The id of each scope's newest landing, sorted."""
        return sorted({scope_of(manifest.landing_id): manifest.landing_id for manifest in self.landings}.values())

    def scope_values(self, landings: Sequence[Manifest]) -> list[str]:
        """SQL literals of the values that the table's scope column has for `landings`."""
        if self.table.scope_value == "upstream_id":
            return sorted({str(manifest.upstream_id) for manifest in landings if manifest.upstream_id is not None})
        return sorted({"'" + manifest.scope.replace("'", "''") + "'" for manifest in landings})


@contextmanager
def stage(session: SparkSession, settings: Settings, batch: Batch, *, is_empty: bool) -> Iterator[DataFrame]:
    """Every row of the batch, and every removal that its keys files tell; kept until the block ends.

    Columns: `action`, the table's typed columns, `landing_id`, `fetched_at`, `payload`, and for
    quarantine `source`, `scope`, `page_file`, `line` and `reason`.
    `is_empty` says that the table has no rows yet, which spares the comparison.
    """
    with ExitStack() as stack:

        def keep(frame: DataFrame) -> DataFrame:
            stack.callback(frame.unpersist)
            return frame.persist(StorageLevel.MEMORY_AND_DISK)

        yield keep(_staged(session, settings, batch, keep, is_empty=is_empty))


def _staged(
    session: SparkSession, settings: Settings, batch: Batch, keep: Callable[[DataFrame], DataFrame], *, is_empty: bool
) -> DataFrame:
    table = batch.table
    rows = _ranked(_typed(_lines(session, settings, batch), table), table)
    removal = table.removal
    keys = _keys(session, settings, batch) if removal and batch.sweeps else None
    if removal:
        rows = _with_removal(rows, removal, keys)
    if is_empty:
        return _trimmed(rows.withColumn("action", F.coalesce("action", F.lit(INSERT))), table)
    # Read several times below; the pages are read and typed once.
    rows = _compared(session, keep(rows), batch)
    if removal and keys is not None:
        rows = rows.unionByName(_removals(session, rows, batch, removal, keys), allowMissingColumns=True)
    return _trimmed(rows, table)


def _url(settings: Settings, path: str) -> str:
    """A store path as Spark takes it; it reads patterns in paths, so their characters are escaped."""
    root = str(settings.data_dir) if settings.is_local else settings.lake.rstrip("/").replace("s3://", "s3a://", 1)
    return "".join(f"\\{letter}" if letter in "\\*?[]{}" else letter for letter in f"{root}/{path}")


def _lines(session: SparkSession, settings: Settings, batch: Batch) -> DataFrame:
    """One row a line, with what its landing's manifest says."""
    sweeps = batch.sweeps
    about = []
    for order, manifest in enumerate(batch.landings):
        sweep = sweeps.get(scope_of(manifest.landing_id))
        about.append(
            {
                "landing_id": manifest.landing_id,
                "landing_order": order,
                "source": manifest.source,
                "scope": manifest.scope,
                "upstream_id": manifest.upstream_id,
                "as_of": manifest.as_of,
                "fetched_at": manifest.finished_at,
                "sweep_id": sweep.landing_id if sweep else None,
                "sweep_order": batch.landings.index(sweep) if sweep else None,
                "swept_at": sweep.started_at if sweep else None,
            }
        )
    landings = rows_frame(session, about, _ABOUT)
    files = [
        _url(settings, f"{landing_path(manifest.landing_id)}/{page.file}")
        for manifest in batch.landings
        for page in manifest.pages
    ]
    if not files:
        return landings.limit(0).selectExpr("*", "'' AS page_file", "0 AS line", "'' AS payload")
    # Page by page: that numbers the lines without a window, and MERGE wants a plan that is deterministic.
    pages = session.read.text(files, wholetext=True).select(
        F.regexp_extract("_metadata.file_path", _ID_PATTERN, 1).alias("landing_id"),
        F.col("_metadata.file_name").alias("page_file"),
        F.posexplode(F.split("value", "\n")).alias("line", "payload"),
    )
    lines = pages.where("payload <> ''").withColumn("line", F.col("line") + 1)
    return lines.join(F.broadcast(landings), "landing_id")


_ABOUT = {
    "landing_id": "string",
    "landing_order": "int",
    "source": "string",
    "scope": "string",
    "upstream_id": "bigint",
    "as_of": "date",
    "fetched_at": "timestamp",
    "sweep_id": "string",
    "sweep_order": "int",
    "swept_at": "timestamp",
}


def _typed(lines: DataFrame, table: Table) -> DataFrame:
    """Lines with the table's columns, and `reason` where a row cannot be typed."""
    item = F.from_json(
        "payload", f"{table.item}, _corrupt STRING", {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt"}
    )
    parsed = lines.withColumn("item", item)
    kept = ["landing_id", "landing_order", "source", "scope", "fetched_at", "sweep_id", "sweep_order", "swept_at"]
    kept += ["page_file", "line", "payload"]
    typed = parsed.select(*kept, "item", *(F.expr(column.value).alias(column.name) for column in table.columns))
    problems = [column.problem for column in table.columns if column.problem]
    reason = f"""
        CASE WHEN NOT startswith(ltrim(payload), '{{') THEN 'not a JSON object'
             WHEN item._corrupt IS NOT NULL THEN 'not valid JSON, or a field of another kind than expected'
             ELSE nullif(concat_ws('; ', {", ".join(problems)}), '') END
    """
    return typed.withColumn("reason", F.expr(reason)).drop("item")


def _ranked(typed: DataFrame, table: Table) -> DataFrame:
    """With `action` for bad rows and duplicates, null for each key's best version."""
    same_key = Window.partitionBy(*table.key, F.col("reason").isNull())
    newest_first = [F.desc("landing_order"), F.desc("page_file"), F.desc("line")]
    if table.changed_at:
        newest_first.insert(0, F.desc_nulls_last(table.changed_at))
    ranked = typed.withColumns(
        {
            "_rank": F.row_number().over(same_key.orderBy(*newest_first)),
            "last_order": F.max("landing_order").over(same_key),
        }
    )
    action = f"CASE WHEN reason IS NOT NULL THEN '{BAD}' WHEN _rank > 1 THEN '{DUPLICATE}' END"
    return ranked.withColumn("action", F.expr(action)).drop("_rank")


def _keys(session: SparkSession, settings: Settings, batch: Batch) -> DataFrame:
    """`sweep_id` and `listed` (the key as text) of the keys files that count."""
    files = [_url(settings, f"{landing_path(m.landing_id)}/{KEYS_FILE}") for m in batch.sweeps.values()]
    return (
        session.read.text(files, lineSep="\n")
        .select(
            F.regexp_extract("_metadata.file_path", _ID_PATTERN, 1).alias("sweep_id"),
            # A key is a JSON number or string.
            F.expr("from_json(concat('[', value, ']'), 'ARRAY<STRING>')[0]").alias("listed"),
        )
        .distinct()
    )


def _with_removal(rows: DataFrame, removal: Removal, keys: DataFrame | None) -> DataFrame:
    """With the removal flag: gone if the scope's last keys file, not older than the row, lacks it."""
    gone, here = F.lit(removal.gone_value), F.lit(not removal.gone_value)
    if keys is None:
        return rows.withColumn(removal.column, here)
    judged = F.expr(f"last_order <= sweep_order AND coalesce({removal.born} < swept_at, true)")
    joined = rows.join(
        keys.withColumn("is_listed", F.lit(True)).withColumnRenamed("sweep_id", "_sweep"),
        (rows.sweep_id == F.col("_sweep")) & (rows[removal.key].cast("string") == F.col("listed")),
        "left",
    )
    flag = F.when(judged & F.col("is_listed").isNull(), gone).otherwise(here)
    return joined.withColumn(removal.column, flag).drop("_sweep", "listed", "is_listed")


def _current(session: SparkSession, batch: Batch, landings: Sequence[Manifest]) -> DataFrame | None:
    """The table's rows of the scopes of `landings`; None if that is none."""
    values = batch.scope_values(landings)
    if not values:
        return None
    columns = [*batch.table.typed, "landing_id"]
    rows = session.read.table(full_name(f"{RAW}.{batch.table.name}"))
    return rows.where(f"{batch.table.scope} IN ({', '.join(values)})").select(*columns)


def _compared(session: SparkSession, rows: DataFrame, batch: Batch) -> DataFrame:
    """With `action` for every row, from a comparison with the table."""
    table = batch.table
    current = _current(session, batch, batch.landings)
    if current is None:
        return rows.withColumn("action", F.coalesce("action", F.lit(INSERT)))
    if batch.rows <= _FEW_ROWS:
        wanted = rows.where("action IS NULL").select(*table.key)
        current = current.join(F.broadcast(wanted), list(table.key), "left_semi")
    current = current.select(*(F.col(name).alias(f"_t_{name}") for name in current.columns))
    same_key = [F.col(name) == F.col(f"_t_{name}") for name in table.key]
    joined = rows.join(current, [F.col("action").isNull(), *same_key], "left")
    same = " AND ".join(f"{name} <=> _t_{name}" for name in table.typed)
    if table.changed_at:
        newer = f"{table.changed_at} >= _t_{table.changed_at}"
    else:
        # Landings of two scopes, as after a rename in the project list, have no order of their own.
        newer = "substring_index(landing_id, '/', 2) <> substring_index(_t_landing_id, '/', 2) OR landing_id >= _t_landing_id"
    flag = table.removal.column if table.removal else None
    revived = f"WHEN {flag} <> _t_{flag} THEN '{REVIVAL}'" if flag else ""
    action = f"""
        CASE WHEN action IS NOT NULL THEN action WHEN _t_landing_id IS NULL THEN '{INSERT}'
             WHEN {same} THEN '{SAME}' WHEN {newer} THEN '{UPDATE}' {revived} ELSE '{STALE}' END
    """
    return joined.withColumn("action", F.expr(action)).drop(*current.columns)


def _removals(session: SparkSession, rows: DataFrame, batch: Batch, removal: Removal, keys: DataFrame) -> DataFrame:
    """Rows of the table that are not in the batch and whose flag a keys file changes."""
    table = batch.table
    sweeps = list(batch.sweeps.values())
    about = [
        {
            "sweep_id": manifest.landing_id,
            "swept_at": manifest.started_at,
            "fetched_at": manifest.finished_at,
            "source": manifest.source,
            "scope": manifest.scope,
            "_scope": str(manifest.upstream_id) if table.scope_value == "upstream_id" else manifest.scope,
        }
        for manifest in sweeps
    ]
    layout = {name: _ABOUT[name] for name in ("sweep_id", "swept_at", "fetched_at", "source", "scope")} | {"_scope": "string"}
    swept = F.broadcast(rows_frame(session, about, layout))
    current = _current(session, batch, sweeps)
    if current is None:
        return rows.limit(0)
    in_batch = rows.where(F.col("action") != BAD).select(*table.key)
    found = (
        current.select(*dict.fromkeys([*table.key, removal.key, removal.born, removal.column, table.scope]))
        .join(in_batch, list(table.key), "left_anti")
        .join(swept, F.col(table.scope).cast("string") == F.col("_scope"))
    )
    listed = keys.withColumn("is_listed", F.lit(True)).withColumnRenamed("sweep_id", "_sweep")
    found = found.join(
        listed, (F.col("sweep_id") == F.col("_sweep")) & (F.col(removal.key).cast("string") == F.col("listed")), "left"
    )
    gone, here = str(removal.gone_value).lower(), str(not removal.gone_value).lower()
    flag = (
        f"CASE WHEN is_listed THEN {here} WHEN coalesce({removal.born} < swept_at, true) THEN {gone} ELSE {removal.column} END"
    )
    return (
        found.withColumn("_flag", F.expr(flag))
        .where(f"_flag <> {removal.column}")
        .select(
            *table.key,
            F.col("_flag").alias(removal.column),
            F.col("sweep_id").alias("landing_id"),
            "fetched_at",
            "source",
            "scope",
            F.lit(REMOVAL).alias("action"),
        )
    )


def _trimmed(rows: DataFrame, table: Table) -> DataFrame:
    about = ("source", "scope", "page_file", "line", "reason")
    return rows.select("action", *table.typed, "landing_id", "fetched_at", "payload", *about)
