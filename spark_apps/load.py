"""The step `load`: from complete landings to raw Iceberg tables.

Per table, under its lock: plan, stage, audit what was read, write to a fresh branch of main, audit the
branch, move main to it. The ledger follows. After a crash in between, the stamps on main say what is
loaded; loading a landing again changes nothing.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from obstore.exceptions import BaseError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it

from lakepulse.cli import main
from lakepulse.data_dir import open_data_dir
from lakepulse.landing import Manifest
from lakepulse.locks import lock
from lakepulse.names import RAW
from lakepulse.outcome import PermanentError, StepError, one_line, outage
from lakepulse.reports import StepReport, write_report
from lakepulse.settings import Settings
from lakepulse.sources import raw_tables
from lakepulse.store import Store, open_store
from spark_apps import quarantine
from spark_apps.errors import engine_error, joined
from spark_apps.iceberg import (
    BRANCH,
    BRANCH_NAME,
    STAMP,
    IcebergTable,
    assignments,
    ensure_table,
    full_name,
    merge_into,
    stamp,
)
from spark_apps.ledger import Ledger, rows_frame, scope_of
from spark_apps.plan import batches, landings_from, new_landings
from spark_apps.schema import EARLIEST, LATEST, Table
from spark_apps.session import bound_session, open_session
from spark_apps.staging import BAD, INSERT, REMOVAL, REVIVAL, UPDATE, WRITTEN, Batch, stage
from spark_apps.tables import all_tables

log = structlog.get_logger()

_TABLES_AT_ONCE = 2
"""Small tables leave a core idle while Spark plans and commits."""

_ROWS_A_PARTITION = 50_000
"""Rows of 1 to 10 kB: what a task sorts stays within its share of 2 GB."""

_ROWS_WORTH_COMPILING = 200_000

_FEW_REMOVED = 100
"""Up to so many rows may disappear at once without suspicion."""


@dataclass(slots=True)
class Result:
    """What a load did to one table; each row counts once."""

    landings: int = 0
    rows: int = 0
    inserted: int = 0
    updated: int = 0
    removed: int = 0
    quarantined: int = 0
    resolved: int = 0
    commits: int = 0
    seconds: float = 0.0
    error: StepError | None = field(default=None)

    def details(self) -> dict[str, Any]:
        """For the step's report."""
        counts = {name: getattr(self, name) for name in self.__slots__ if name not in ("seconds", "error")}
        return counts | {"seconds": round(self.seconds, 2)} | ({"error": one_line(self.error)} if self.error else {})


class Load:
    """A run of the step on one engine."""

    def __init__(self, engine: SparkSession, settings: Settings, store: Store) -> None:
        self._engine = engine
        self._settings = settings
        self._store = store
        self._session = bound_session(engine, settings)
        stamp(self._session, run_id=settings.run_id)
        self._ledger = Ledger(self._session, settings)
        self._loaded: list[tuple[Manifest, int]] = []

    def run(self, tables: list[str], *, replay: bool = False) -> dict[str, Result]:
        """Load `tables`; a table that fails does not stop the others, its error is in its result.

        Raises:
            TemporaryError: another run holds the ledger's lock.
        """
        work = self._replayed if replay else self._load
        self._ledger.newest()
        with ThreadPoolExecutor(_TABLES_AT_ONCE, thread_name_prefix="table") as pool:
            results = dict(zip(tables, pool.map(lambda name: self._guarded(name, work), tables), strict=True))
        self._ledger.add(self._loaded)
        return results

    def _guarded(self, name: str, work: Any) -> Result:
        """`work` on one table under its lock, its failure as a `StepError`."""
        started = time.monotonic()
        result = Result()
        session = bound_session(self._engine, self._settings)
        try:
            with engine_error(f"loading {RAW}.{name}"), lock(self._settings, f"{RAW}.{name}"):
                work(session, all_tables()[name], result)
        except StepError as error:
            result.error = error
        result.seconds = time.monotonic() - started
        if result.landings or result.error:
            log.info("loaded", table=name, **result.details())
        return result

    def _load(self, session: SparkSession, table: Table, result: Result) -> None:
        target = ensure_table(session, f"{RAW}.{table.name}", table.layout, table.partitions, table.target_file_mb)
        newest = self._ledger.newest()
        landings = new_landings(self._store, table.name, newest)
        on_main = _stamped(target, newest)
        for load_seq, loaded in on_main.items():
            done = [m for m in landings if m.landing_id <= loaded.get(scope_of(m.landing_id), "")]
            self._loaded += [(manifest, load_seq) for manifest in done]
            landings = [manifest for manifest in landings if manifest not in done]
        result.landings = len(landings)
        for batch in batches(landings):
            load_seq = self._next_seq(target)
            self._take(session, Batch(table, tuple(batch)), target, load_seq, result)
            self._loaded += [(manifest, load_seq) for manifest in batch]

    def _replayed(self, session: SparkSession, table: Table, result: Result) -> None:
        """Load again every landing since that of the oldest row in quarantine: later ones may have newer versions."""
        oldest = quarantine.unresolved(session, table.name)
        landings = landings_from(self._store, oldest)
        loaded = self._ledger.newest()
        landings = [m for m in landings if m.landing_id <= loaded.get(scope_of(m.landing_id), "")]
        if not landings:
            return
        target = ensure_table(session, f"{RAW}.{table.name}", table.layout, table.partitions, table.target_file_mb)
        result.landings = len(landings)
        for batch in batches(landings):
            self._take(session, Batch(table, tuple(batch)), target, self._next_seq(target), result, is_replay=True)

    def _next_seq(self, target: IcebergTable) -> int:
        """Above the ledger's and main's own, since the ledger may lag behind after a crash."""
        target.refresh()
        stamps = (int(s.summary[f"{STAMP}load-seq"]) for s in target.history() if f"{STAMP}load-seq" in s.summary)
        return max(self._ledger.load_seq(), next(stamps, 0)) + 1

    def _take(
        self,
        session: SparkSession,
        batch: Batch,
        target: IcebergTable,
        load_seq: int,
        result: Result,
        *,
        is_replay: bool = False,
    ) -> None:
        """Load one batch.

        Raises:
            PermanentError: an audit failed; main is as it was.
        """
        if not batch.rows and not batch.sweeps:
            return
        before = target.snapshot()
        usual = int(self._session.conf.get("spark.sql.shuffle.partitions") or 2)
        partitions = max(usual, -(-batch.rows // _ROWS_A_PARTITION))
        session.conf.set("spark.sql.shuffle.partitions", str(partitions))
        # For few rows compiling the generated code takes longer than interpreting the plan.
        is_small = batch.rows + (before.rows if before else 0) < _ROWS_WORTH_COMPILING
        session.conf.set("spark.sql.codegen.wholeStage", str(not is_small).lower())
        session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if is_small else "FALLBACK")
        with stage(session, self._settings, batch, is_empty=before is None or before.rows == 0) as staged:
            counts = _counts(staged)
            _audit_read(batch, counts)
            total: Counter[str] = Counter()
            for (_, action), rows in counts.items():
                total[action] += rows
            if total[REMOVAL] > _FEW_REMOVED and not self._settings.allow_shrink:
                _audit_removals(session, batch, staged)
            bad = _bad_lines(staged, batch.table, load_seq) if total[BAD] else None
            if bad is not None:
                quarantine.hold_back(session, self._settings, bad)
            if any(total[action] for action in WRITTEN):
                stamp(
                    session,
                    run_id=self._settings.run_id,
                    landings=",".join(batch.newest),
                    load_seq=str(load_seq),
                )
                target.begin()
                _merge(batch, staged, total, load_seq)
                target.refresh()
                rows_before = before.rows if before else 0
                _audit_branch(session, batch.table, target, rows_before=rows_before, total=total, load_seq=load_seq)
                target.publish()
                result.commits += 1
            if is_replay:
                ids = rows_frame(session, [{"landing_id": m.landing_id} for m in batch.landings], {"landing_id": "string"})
                still_bad = bad if bad is not None else ids.selectExpr("landing_id", "'' AS page_file", "0 AS line").limit(0)
                result.resolved += quarantine.resolve(
                    session, self._settings, batch.table.name, landings=ids, still_bad=still_bad, load_seq=load_seq
                )
        result.rows += batch.rows
        result.inserted += total[INSERT]
        result.updated += total[UPDATE]
        result.removed += total[REMOVAL] + total[REVIVAL]
        result.quarantined += total[BAD]


def _stamped(target: IcebergTable, newest: dict[str, str]) -> dict[int, dict[str, str]]:
    """Landings that main holds beyond the ledger: load sequence to newest landing by scope."""
    beyond: dict[int, dict[str, str]] = {}
    for snapshot in target.history():
        if f"{STAMP}landings" not in snapshot.summary:
            continue  # maintenance
        landings = {scope_of(name): name for name in snapshot.summary[f"{STAMP}landings"].split(",")}
        if all(name <= newest.get(scope, "") for scope, name in landings.items()):
            break
        beyond[int(snapshot.summary[f"{STAMP}load-seq"])] = landings
    return dict(sorted(beyond.items()))


def _counts(staged: DataFrame) -> dict[tuple[str, str], int]:
    """Rows by landing and action."""
    found = staged.groupBy("landing_id", "action").count().collect()
    return {(row["landing_id"], row["action"]): row["count"] for row in found}


def _audit_read(batch: Batch, counts: dict[tuple[str, str], int]) -> None:
    """Compare what was read with the manifests.

    Raises:
        PermanentError: they differ.
    """
    read: Counter[str] = Counter()
    for (landing, action), rows in counts.items():
        if action != REMOVAL:
            read[landing] += rows
    for manifest in batch.landings:
        if read[manifest.landing_id] != manifest.rows:
            raise PermanentError(
                f"landing {manifest.landing_id} has {read[manifest.landing_id]} rows, its manifest says {manifest.rows};"
                f" {RAW}.{batch.table.name} is unchanged; remove the landing's folder to fetch it again"
            )


def _audit_removals(session: SparkSession, batch: Batch, staged: DataFrame) -> None:
    """Refuse keys files that would mark more than half of a scope's rows as gone.

    Raises:
        PermanentError: one would.
    """
    removal = batch.table.removal
    if removal is None:
        return
    gone = str(removal.gone_value).lower()
    scope = batch.table.scope
    lost = staged.where(f"action = '{REMOVAL}' AND {removal.column} = {gone}").groupBy(scope).count()
    here = (
        session.read.table(full_name(f"{RAW}.{batch.table.name}"))
        .where(f"{removal.column} <> {gone}")
        .groupBy(scope)
        .agg(F.count("*").alias("held"), F.max("repo" if scope != "package" else "package").alias("name"))
    )
    for row in lost.join(here, scope).where(f"count > {_FEW_REMOVED} AND 2 * count > held").collect():
        raise PermanentError(
            f"upstream no longer lists {row['count']} of {row['held']} rows of {RAW}.{batch.table.name} for {row['name']};"
            f" the table is unchanged; if that is true, run again with ALLOW_SHRINK=1"
        )


def _bad_lines(staged: DataFrame, table: Table, load_seq: int) -> DataFrame:
    """Rows that could not be typed, as quarantine takes them."""
    return staged.where(f"action = '{BAD}'").select(
        "landing_id",
        "source",
        "scope",
        F.lit(table.name).alias("table_name"),
        "page_file",
        "line",
        "reason",
        "payload",
        F.lit(load_seq).cast("bigint").alias("load_seq"),
        F.current_timestamp().alias("loaded_at"),
    )


def _merge(batch: Batch, staged: DataFrame, total: Counter[str], load_seq: int) -> None:
    """MERGE what differs into the audit branch; inserts alone add files without reading any."""
    table = batch.table
    changes = (
        staged.where(F.col("action").isin(*WRITTEN))
        .withColumn("load_seq", F.lit(load_seq).cast("bigint"))
        .withColumn("loaded_at", F.lit(datetime.now(UTC)))
    )
    # As literals, so that files of other scopes are not read.
    within = f"{BRANCH_NAME}.{table.scope} IN ({batch.scope_literals(batch.landings)})"
    merge = merge_into(changes, f"{RAW}.{table.name}.{BRANCH_NAME}", table.key, within)
    if total[UPDATE]:
        merge = merge.whenMatched(F.col("s.action") == UPDATE).update(assignments(table.layout))
    if total[REMOVAL] + total[REVIVAL] and table.removal:
        changed = (table.removal.column, "landing_id", "fetched_at", "load_seq", "loaded_at")
        merge = merge.whenMatched(F.col("s.action").isin(REMOVAL, REVIVAL)).update(assignments(changed))
    if total[INSERT]:
        merge = merge.whenNotMatched(F.col("s.action") == INSERT).insert(assignments(table.layout))
    merge.merge()


def _audit_branch(
    session: SparkSession, table: Table, target: IcebergTable, *, rows_before: int, total: Counter[str], load_seq: int
) -> None:
    """Check all of the branch before main moves to it.

    Raises:
        PermanentError: keys have several rows, rows are missing or surplus, or a date is out of range.
    """
    keys = ", ".join(table.key)
    bounds = [f"min(CAST({c} AS DATE)) AS lo_{c}, max(CAST({c} AS DATE)) AS hi_{c}" for c in table.dates]
    outer = [f"min(lo_{c}) AS lo_{c}, max(hi_{c}) AS hi_{c}" for c in table.dates]
    found = session.sql(
        f"SELECT coalesce(sum(n), 0) AS n, coalesce(max(n), 0) AS most, coalesce(sum(fresh), 0) AS fresh, {', '.join(outer)}"
        " FROM ("
        f"SELECT {keys}, count(*) AS n, count_if(load_seq = {load_seq}) AS fresh, {', '.join(bounds)}"
        f" FROM {full_name(f'{RAW}.{table.name}')}.{BRANCH_NAME} GROUP BY {keys})"
    ).collect()[0]
    problems = []
    if found.most > 1:
        problems.append(f"a key ({keys}) has {found.most} rows")
    if found.n != rows_before + total[INSERT]:
        problems.append(f"{found.n} rows, not {rows_before} + {total[INSERT]}")
    written = sum(total[action] for action in WRITTEN)
    if found.fresh != written:
        problems.append(f"{found.fresh} rows written, not {written}")
    for column in table.dates:
        low, high = found[f"lo_{column}"], found[f"hi_{column}"]
        if low is not None and (str(low) < EARLIEST or str(high) >= LATEST):
            problems.append(f"{column} from {low} to {high}")
    if problems:
        snapshot = target.snapshot(BRANCH)
        where = f"branch {BRANCH}, snapshot {snapshot.snapshot_id}" if snapshot else f"branch {BRANCH}"
        raise PermanentError(f"audit of {RAW}.{table.name} failed ({'; '.join(problems)}); main is unchanged, see {where}")


def load(engine: SparkSession, settings: Settings, tables: list[str] | None = None, *, replay: bool = False) -> StepReport:
    """Load every complete landing that is not loaded yet, and write the step's report.

    With `replay` instead load again what quarantine holds back, once its cause is fixed.

    Raises:
        StepError: a table was not loaded; the others were.
    """
    store = open_store(settings)
    started = datetime.now(UTC)
    results: dict[str, Result] = {}
    failure: StepError | None = None
    try:
        with engine_error("loading"):
            results = Load(engine, settings, store).run(tables or list(all_tables()), replay=replay)
        failure = joined([result.error for result in results.values() if result.error])
    except StepError as error:
        failure = error
    report = StepReport(
        run_id=settings.run_id,
        step="load",
        outcome="failed" if failure else "succeeded",
        started_at=started,
        ended_at=datetime.now(UTC),
        rows=sum(result.inserted + result.updated + result.removed for result in results.values()),
        message=one_line(failure) if failure else None,
        details={"tables": {name: result.details() for name, result in results.items()}},
    )
    try:
        write_report(store, report)
    except BaseError as error:
        # On a full disk the first error is the one to report.
        failure = (
            failure
            or outage(error)
            or PermanentError(f"its report was not written ({one_line(error)}); free space, then run again")
        )
    if failure:
        raise failure
    return report


def load_step(settings: Settings, tables: str | None, *, replay: bool = False) -> None:
    """Run the step on an engine of its own.

    Args:
        settings: of the run.
        tables: raw tables, separated by commas; None for all.
        replay: as in `load`.

    Raises:
        StepError: a table is unknown, Spark did not start, or a table was not loaded.
    """
    chosen = tables.split(",") if tables else None
    if unknown := sorted(set(chosen or ()) - set(raw_tables())):
        raise PermanentError(f"--tables: unknown {', '.join(unknown)}; known: {', '.join(raw_tables())}")
    open_data_dir(settings)
    with open_session(settings) as engine:
        load(engine, settings, chosen, replay=replay)


if __name__ == "__main__":
    sys.exit(main(["load", *sys.argv[1:]]))
