"""From landed pages to typed rows, each with what a load has to do about it.

Spark expressions only: no row passes through Python. One read takes all pages of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it
from pyspark.storagelevel import StorageLevel

from lakepulse.landing import KEYS_FILE, Manifest, landing_path
from lakepulse.names import RAW
from lakepulse.settings import Settings
from spark_apps.iceberg import full_name
from spark_apps.ledger import rows_frame, scope_of
from spark_apps.schema import ODD, Removal, Table

# What a load does about a staged row.
INSERT = "insert"
UPDATE = "update"
REMOVAL = "removal"  # by a keys file, a row is gone, or is back
REVIVAL = "revival"  # an older version than the table's, but the row exists again, or is gone
SAME = "same"
STALE = "stale"  # an older version than the table's
DUPLICATE = "duplicate"  # a better version is in the same batch
BAD = "bad"

WRITTEN = (INSERT, UPDATE, REMOVAL, REVIVAL)

_FEW_ROWS = 100_000
"""A batch of up to so many rows is cached in memory, and finds its rows in the table by a broadcast of its keys."""

_SHARED = "key: shared by "
"""Begins what `odd` says of a key that several rows of one landing share; nothing follows it there."""

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
    def sweeps(self) -> dict[int, Manifest]:
        """Landings with a keys file, by their place in the batch."""
        if self.table.removal is None:
            return {}
        return {order: manifest for order, manifest in enumerate(self.landings) if manifest.has_keys}

    @property
    def newest(self) -> list[str]:
        """The id of each scope's newest landing, sorted."""
        return sorted({scope_of(manifest.landing_id): manifest.landing_id for manifest in self.landings}.values())

    def scope_value(self, manifest: Manifest) -> str | None:
        """What the table's scope column holds for a landing, as text."""
        if self.table.scope_value == "scope":
            return manifest.scope
        return None if manifest.upstream_id is None else str(manifest.upstream_id)

    def scope_literals(self, landings: Iterable[Manifest]) -> str:
        """SQL list of what the table's scope column holds for `landings`; empty if nothing."""
        return self.table.scope_literals(value for m in landings if (value := self.scope_value(m)) is not None)


def storage_level(rows: int) -> StorageLevel:
    """Where a frame of so many rows is cached."""
    # With millions of rows in the heap, garbage collection takes a third of the load.
    return StorageLevel.DISK_ONLY if rows > _FEW_ROWS else StorageLevel.MEMORY_AND_DISK


@contextmanager
def stage(session: SparkSession, settings: Settings, batch: Batch, *, is_empty: bool) -> Iterator[DataFrame]:
    """Every row of the batch, and every removal that its keys files imply; cached until the block ends.

    Columns: `action`, the table's typed columns, `landing_id`, `fetched_at`, `payload`, and for
    quarantine `source`, `scope`, `page_file`, `line` and `reason`.
    `is_empty`: the table has no rows yet, so there is nothing to compare with.
    """
    with ExitStack() as stack:

        def keep(frame: DataFrame) -> DataFrame:
            stack.callback(frame.unpersist)
            return frame.persist(storage_level(batch.rows))

        yield keep(_staged(session, settings, batch, keep, is_empty=is_empty))


def _staged(
    session: SparkSession, settings: Settings, batch: Batch, keep: Callable[[DataFrame], DataFrame], *, is_empty: bool
) -> DataFrame:
    table = batch.table
    rows = _ranked(_typed(_lines(session, settings, batch), table), table)
    keys = _keys(session, settings, batch) if batch.sweeps else None
    if table.removal:
        rows = _flagged(session, rows, batch, table.removal, keys)
    if is_empty:
        return _trimmed(rows.withColumn("action", F.coalesce("action", F.lit(INSERT))), table)
    # Used several times below, so that pages are read and typed once.
    rows = _compared(session, keep(rows), batch)
    if table.removal and keys is not None:
        removed = _removals(session, rows, batch, table.removal, keys)
        rows = rows.unionByName(removed, allowMissingColumns=True) if removed else rows
    return _trimmed(rows, table)


def _url(settings: Settings, path: str) -> str:
    """A store path for Spark, which takes paths for patterns: their special characters are escaped."""
    root = str(settings.data_dir) if settings.is_local else settings.lake.rstrip("/").replace("s3://", "s3a://", 1)
    return "".join(f"\\{letter}" if letter in "\\*?[]{}" else letter for letter in f"{root}/{path}")


def _lines(session: SparkSession, settings: Settings, batch: Batch) -> DataFrame:
    """One row a line, with its landing's manifest."""
    about = [
        {
            "landing_id": manifest.landing_id,
            "landing_order": order,
            "source": manifest.source,
            "scope": manifest.scope,
            "upstream_id": manifest.upstream_id,
            "as_of": manifest.as_of,
            "fetched_at": manifest.finished_at,
        }
        for order, manifest in enumerate(batch.landings)
    ]
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
}


def _typed(lines: DataFrame, table: Table) -> DataFrame:
    """Lines with the table's columns, and `reason` where a row cannot be used."""
    parsed = lines.withColumn("item", _item(table))
    kept = ["landing_id", "landing_order", "source", "scope", "fetched_at", "page_file", "line", "payload"]
    typed = parsed.select(*kept, "item", *(F.expr(column.value).alias(column.name) for column in table.columns))
    reason = (
        F.when(~F.ltrim("payload").startswith("{"), "not a JSON object")
        .when(F.col("item._corrupt").isNotNull(), "not valid JSON, or a field of an unexpected type")
        .when(F.expr(table.is_unusable), F.col(ODD))
    )
    return typed.withColumn(ODD, _odd(table)).withColumn("reason", reason).drop("item")


def _item(table: Table) -> Column:
    """The payload parsed; `_corrupt` is null unless it is no JSON of the table's kind."""
    layout = f"{table.item}, _corrupt STRING"
    return F.from_json("payload", layout, {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt"})


def _odd(table: Table) -> Column:
    """Which texts of `item` gave no value to the typed columns beside it, and why; null if all did."""
    return F.nullif(F.expr(table.problems), F.lit(""))


def retyped(session: SparkSession, table: Table, scopes: str) -> DataFrame:
    """Rows of the scopes `scopes` (SQL list) whose kept payload gives other values today than the table has.

    Columns: the table's own without `load_seq` and `loaded_at`, and `action`, as `stage` gives them. Keys stay,
    and so does what the landing decided.
    """
    fresh = [column for column in table.columns if column.is_from_item and column.name not in table.key]
    stored = session.read.table(full_name(f"{RAW}.{table.name}")).where(f"{table.scope} IN ({scopes})")
    # Exploded, since Spark would push the filters below into the parsing and parse once for each column.
    parsed = stored.select("*", F.explode(F.array(_item(table))).alias("item"))
    parsed = parsed.where("item IS NOT NULL AND item._corrupt IS NULL")
    kept = [name for name in table.layout if name not in {ODD, "load_seq", "loaded_at", *(column.name for column in fresh)}]
    typed = parsed.select(
        *(F.col(name) for name in kept),
        "item",
        *(F.expr(column.value).alias(column.name) for column in fresh),
        *(F.col(name).alias(f"_t_{name}") for name in (ODD, *(column.name for column in fresh))),
    )
    # That rows of its landing shared the key is not in the payload.
    shared = F.nullif(F.regexp_extract(f"_t_{ODD}", f"{_SHARED}.*$", 0), F.lit(""))
    rows = typed.withColumn(ODD, F.nullif(F.concat_ws("; ", _odd(table), shared), F.lit(""))).drop("item")
    differs = " OR ".join(f"NOT ({name} <=> _t_{name})" for name in (ODD, *(column.name for column in fresh)))
    return rows.where(differs).select(*kept, ODD, *(column.name for column in fresh)).withColumn("action", F.lit(UPDATE))


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
    if not table.changed_at:
        # Where items say when they changed, a list that changes while it is read gives one twice.
        ranked = _shared(ranked, table)
    action = f"CASE WHEN reason IS NOT NULL THEN '{BAD}' WHEN _rank > 1 THEN '{DUPLICATE}' END"
    return ranked.withColumn("action", F.expr(action)).drop("_rank")


def _shared(rows: DataFrame, table: Table) -> DataFrame:
    """With `odd` saying where different rows of one landing share a key."""
    same_landing = Window.partitionBy(*table.key, F.col("reason").isNull(), "landing_order")
    content = F.xxhash64("payload")
    is_shared = F.min(content).over(same_landing) != F.max(content).over(same_landing)
    text = F.concat(F.lit(_SHARED), F.count("*").over(same_landing), F.lit(" rows of its landing"))
    return rows.withColumn(ODD, F.nullif(F.concat_ws("; ", ODD, F.when(is_shared, text)), F.lit("")))


def _keys(session: SparkSession, settings: Settings, batch: Batch) -> DataFrame:
    """Keys that the keys files list: `swept`, `listed` (the key as text) and `listed_order`, the last landing that lists it."""
    sweeps = batch.sweeps
    files = [_url(settings, f"{landing_path(manifest.landing_id)}/{KEYS_FILE}") for manifest in sweeps.values()]
    about = [
        {"landing_id": manifest.landing_id, "swept": batch.scope_value(manifest), "order": order}
        for order, manifest in sweeps.items()
    ]
    landings = rows_frame(session, about, {"landing_id": "string", "swept": "string", "order": "int"})
    lines = session.read.text(files, lineSep="\n").select(
        F.regexp_extract("_metadata.file_path", _ID_PATTERN, 1).alias("landing_id"),
        # A key is a JSON number or string.
        F.expr("from_json(concat('[', value, ']'), 'ARRAY<STRING>')[0]").alias("listed"),
    )
    joined = lines.join(F.broadcast(landings), "landing_id")
    return joined.groupBy("swept", "listed").agg(F.max("order").alias("listed_order"))


def _judged(session: SparkSession, rows: DataFrame, batch: Batch, removal: Removal, keys: DataFrame) -> DataFrame:
    """With `judged_order`, the last landing that could list a row, and `listed_order`, the last that does; null without one.

    Every sweep counts, not only the last: one whose clock was set back judges fewer rows than the one before.
    """
    begun: dict[str, list[dict[str, Any]]] = {}
    for order, manifest in batch.sweeps.items():
        if (value := batch.scope_value(manifest)) is not None:
            begun.setdefault(value, []).append({"order": order, "began": manifest.started_at.isoformat()})
    about = [{"swept": value, "sweeps": sweeps} for value, sweeps in begun.items()]
    swept = rows_frame(session, about, {"swept": "string", "sweeps": "ARRAY<STRUCT<order: INT, began: TIMESTAMP>>"})
    judging = f"filter(sweeps, sweep -> coalesce({removal.born} < sweep.began, true))"
    return (
        rows.withColumn("swept", F.col(batch.table.scope).cast("string"))
        .withColumn("listed", F.col(removal.key).cast("string"))
        .join(F.broadcast(swept), "swept", "left")
        .join(keys, ["swept", "listed"], "left")
        .withColumn("judged_order", F.expr(f"array_max(transform({judging}, sweep -> sweep.order))"))
        .drop("swept", "listed", "sweeps")
    )


def _flagged(session: SparkSession, rows: DataFrame, batch: Batch, removal: Removal, keys: DataFrame | None) -> DataFrame:
    """With the removal flag: gone if it is missing from a keys file that is not older than the row's last page."""
    gone, here = F.lit(removal.gone_value), F.lit(not removal.gone_value)
    if keys is None:
        return rows.withColumn(removal.column, here)
    is_gone = F.expr("judged_order > coalesce(listed_order, -1) AND judged_order >= last_order")
    judged = _judged(session, rows, batch, removal, keys)
    return judged.withColumn(removal.column, F.when(is_gone, gone).otherwise(here)).drop("judged_order", "listed_order")


def _current(session: SparkSession, batch: Batch, landings: Iterable[Manifest]) -> DataFrame | None:
    """The table's rows of the scopes of `landings`; None without a scope."""
    values = batch.scope_literals(landings)
    if not values:
        return None
    columns = [*batch.table.typed, "landing_id"]
    rows = session.read.table(full_name(f"{RAW}.{batch.table.name}"))
    return rows.where(f"{batch.table.scope} IN ({values})").select(*columns)


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
    # Landings of two scopes, as after a rename in the project list, have no order of their own.
    newer = "substring_index(landing_id, '/', 2) <> substring_index(_t_landing_id, '/', 2) OR landing_id >= _t_landing_id"
    if changed := table.changed_at:
        # A version whose time cannot be used is older than any with one.
        is_later = f"coalesce({changed} >= _t_{changed}, {changed} IS NOT NULL)"
        newer = f"IF(coalesce({changed}, _t_{changed}) IS NULL, {newer}, {is_later})"
    flag = table.removal.column if table.removal else None
    revived = f"WHEN {flag} <> _t_{flag} THEN '{REVIVAL}'" if flag else ""
    action = f"""
        CASE WHEN action IS NOT NULL THEN action WHEN _t_landing_id IS NULL THEN '{INSERT}'
             WHEN {same} THEN '{SAME}' WHEN {newer} THEN '{UPDATE}' {revived} ELSE '{STALE}' END
    """
    return joined.withColumn("action", F.expr(action)).drop(*current.columns)


def _removals(session: SparkSession, rows: DataFrame, batch: Batch, removal: Removal, keys: DataFrame) -> DataFrame | None:
    """Rows of the table outside the batch whose flag a keys file changes."""
    table = batch.table
    current = _current(session, batch, batch.sweeps.values())
    if current is None:
        return None
    in_batch = rows.where(F.col("action") != BAD).select(*table.key)
    needed = dict.fromkeys([*table.key, removal.key, removal.born, removal.column, table.scope])
    others = current.select(*needed).join(in_batch, list(table.key), "left_anti")
    gone, here = str(removal.gone_value).lower(), str(not removal.gone_value).lower()
    flag = f"CASE WHEN judged_order > coalesce(listed_order, -1) THEN {gone} WHEN listed_order IS NOT NULL THEN {here} END"
    about = [
        {
            "landing_order": order,
            "landing_id": manifest.landing_id,
            "fetched_at": manifest.finished_at,
            "source": manifest.source,
            "scope": manifest.scope,
        }
        for order, manifest in batch.sweeps.items()
    ]
    layout = {name: _ABOUT[name] for name in ("landing_order", "landing_id", "fetched_at", "source", "scope")}
    return (
        _judged(session, others, batch, removal, keys)
        .withColumn("flag", F.expr(flag))
        .where(F.col("flag") != F.col(removal.column))
        .withColumn("landing_order", F.greatest("judged_order", "listed_order"))
        .join(F.broadcast(rows_frame(session, about, layout)), "landing_order")
        .select(*table.key, F.col("flag").alias(removal.column), *list(layout)[1:], F.lit(REMOVAL).alias("action"))
    )


def _trimmed(rows: DataFrame, table: Table) -> DataFrame:
    about = ("source", "scope", "page_file", "line", "reason")
    return rows.select("action", *table.typed, "landing_id", "fetched_at", "payload", *about)
