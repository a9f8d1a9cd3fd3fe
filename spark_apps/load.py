"""The step `load`: from complete landings to raw Iceberg tables.

Per table, under its lock: plan, stage, audit what was read, write to a fresh branch of main, audit the
branch, move main to it. The ledger follows. After a crash in between, the stamps on main say what is
loaded; loading a landing again changes nothing.

An audit that finds fault with one scope holds that scope back, and the load goes on without it: its landings
wait for the next load, and `raw.quarantine`, the report and the log say why.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
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
from lakepulse.outages import outage
from lakepulse.outcome import PermanentError, StepError, one_line
from lakepulse.reports import StepReport, write_report
from lakepulse.settings import Settings
from lakepulse.sources import raw_tables
from lakepulse.store import Store, open_store
from spark_apps import quarantine
from spark_apps.audit import Count, audit_branch, audit_read, audit_removals, count_rows
from spark_apps.errors import DiskError, engine_error, joined
from spark_apps.iceberg import (
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
from spark_apps.plan import Refusal, batches, damaged, landings_from, new_landings, not_held_back
from spark_apps.schema import Table
from spark_apps.session import bound_session, open_session
from spark_apps.staging import BAD, INSERT, REMOVAL, REVIVAL, UPDATE, WRITTEN, Batch, retyped, stage, storage_level
from spark_apps.tables import all_tables

log = structlog.get_logger()

_TABLES_AT_ONCE = 2
"""Small tables leave a core idle while Spark plans and commits."""

_ROWS_A_PARTITION = 50_000
"""Rows of 1 to 10 kB: what a task sorts stays within its share of 2 GB."""

_ROWS_WORTH_COMPILING = 200_000

_LOAD_SEQ = f"{STAMP}load-seq"
"""What a load's snapshot says of the load sequence of its rows."""

_TYPED_AS = "typed-as"
"""A table property: the fingerprint of the columns by which all of its rows are typed."""


@dataclass(slots=True)
class Result:
    """What a load did to one table.

    Of the landings' `rows` each is inserted, updated, quarantined or nothing new; `odd` ones among those
    inserted and updated have a text that could not be used. `retyped` rows of the table were typed again from
    their payload. `loaded` are landings with their load sequence, `refusals` what is held back.
    """

    landings: int = 0
    rows: int = 0
    inserted: int = 0
    updated: int = 0
    removed: int = 0
    odd: int = 0
    quarantined: int = 0
    resolved: int = 0
    retyped: int = 0
    commits: int = 0
    seconds: float = 0.0
    loaded: list[tuple[Manifest, int]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    error: StepError | None = field(default=None)

    def details(self) -> dict[str, Any]:
        """For the step's report."""
        counts = {name: value for name in self.__slots__ if isinstance(value := getattr(self, name), int)}
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

    def run(self, tables: list[str], *, replay: bool = False) -> dict[str, Result]:
        """Load `tables`; a table that fails does not stop the others, its error is in its result.

        Raises:
            TemporaryError: another run holds the ledger's lock.
        """
        self._ledger.newest()
        results = {name: Result() for name in tables}
        with ThreadPoolExecutor(_TABLES_AT_ONCE, thread_name_prefix="table") as pool:
            list(pool.map(lambda name: self._guarded(name, results[name], replay=replay), tables))
        self._ledger.add([landing for result in results.values() for landing in result.loaded])
        if not replay:
            done = {name: result for name, result in results.items() if not result.error}
            newest = self._ledger.newest()
            waiting = [
                refusal
                for result in done.values()
                for refusal in result.refusals
                if refusal.landing_id > newest.get(scope_of(refusal.landing_id), "")
            ]
            quarantine.refuse(self._session, self._settings, waiting, tables=done.keys(), load_seq=self._ledger.load_seq())
        return results

    def _guarded(self, name: str, result: Result, *, replay: bool) -> None:
        """Load one table under its lock, its failure as a `StepError` in the result."""
        started = time.monotonic()
        session = bound_session(self._engine, self._settings)
        try:
            with engine_error(f"loading {RAW}.{name}"), lock(self._settings, f"{RAW}.{name}"):
                table = all_tables()[name]
                target = ensure_table(
                    session,
                    f"{RAW}.{name}",
                    table.layout,
                    partitions=table.partitions,
                    target_file_mb=table.target_file_mb,
                    stamps={_TYPED_AS: table.fingerprint},
                )
                run = _TableLoad(
                    session=session,
                    settings=self._settings,
                    store=self._store,
                    ledger=self._ledger,
                    table=table,
                    target=target,
                    result=result,
                )
                run.run(replay=replay)
        except StepError as error:
            result.error = error
        result.seconds = time.monotonic() - started
        if result.landings or result.retyped or result.error:
            log.info("loaded", table=name, **result.details())


@dataclass(slots=True, kw_only=True)
class _TableLoad:
    """A run of the step on one table, under its lock."""

    session: SparkSession
    settings: Settings
    store: Store
    ledger: Ledger
    table: Table
    target: IcebergTable
    result: Result
    held: list[Refusal] = field(default_factory=list)

    def run(self, *, replay: bool) -> None:
        """Load what is new, or with `replay` what quarantine holds back; first what an upgrade reads in another way.

        Raises:
            PermanentError: an audit of the table failed; main is as it was.
        """
        is_upgrade = self.target.stamped(_TYPED_AS) != self.table.fingerprint
        if is_upgrade:
            self._retype()
        if is_upgrade or replay:
            with self._holding_back():
                self._replay()
        if is_upgrade:
            self.target.stamp(_TYPED_AS, self.table.fingerprint)
        if not replay:
            with self._holding_back():
                self._load()

    @contextmanager
    def _holding_back(self) -> Iterator[None]:
        """At the end of the block, report and warn of the scopes that it held back, and let go of them."""
        try:
            yield
        finally:
            # A scope may be refused again, for an earlier landing.
            first = {
                scope_of(refusal.landing_id): refusal
                for refusal in sorted(self.held, key=attrgetter("landing_id"), reverse=True)
            }
            for refusal in first.values():
                # In one text: a run prints warnings of the same text once.
                log.warning(f"{refusal.scope} of {refusal.source} is held back: {refusal.reason}")
            self.result.refusals += first.values()
            self.held.clear()

    def _load(self) -> None:
        newest = self.ledger.newest()
        plan = new_landings(self.store, self.table.name, newest)
        for load_seq, loaded in _stamped(self.target, newest).items():
            done = [m for m in plan.landings if m.landing_id <= loaded.get(scope_of(m.landing_id), "")]
            self.result.loaded += [(manifest, load_seq) for manifest in done]
            plan.landings = [manifest for manifest in plan.landings if manifest not in done]
        self.held += plan.refusals
        for batch in batches(plan.landings):
            load_seq = self._next_seq()
            self.result.loaded += [(manifest, load_seq) for manifest in self._take(batch, load_seq)]

    def _replay(self) -> None:
        """Load again every landing since that of the oldest line in quarantine: later ones may have newer versions."""
        oldest = quarantine.unresolved(self.session, self.table.name)
        loaded = self.ledger.newest()
        plan = landings_from(self.store, self.table.name, oldest)
        landings = [m for m in plan.landings if m.landing_id <= loaded.get(scope_of(m.landing_id), "")]
        self.held += plan.refusals
        for batch in batches(landings):
            self._take(batch, self._next_seq(), is_replay=True)

    def _retype(self) -> None:
        """Type rows that an earlier version wrote again from their payload, some scopes a commit.

        After a crash in between, the rows that are done differ no more: only reading them is repeated.
        """
        scope = F.col(self.table.scope).cast("string").alias("scope")
        rows = self.session.read.table(full_name(self.target.name))
        stored = rows.groupBy(scope).count().where("scope IS NOT NULL").collect()
        for part in batches([_Stored(row["scope"], row["count"]) for row in stored]):
            size = sum(each.rows for each in part)
            _tune(self.session, size)
            within = self.table.scope_literals(each.scope for each in part)
            changes = retyped(self.session, self.table, within).persist(storage_level(size))
            if count := changes.count():
                stamp(self.session, run_id=self.settings.run_id)
                self._commit(changes, within, Counter({UPDATE: count}), self._next_seq())
                self.result.retyped += count
            changes.unpersist()

    def _next_seq(self) -> int:
        """Above the ledger's and main's own: a replay's is not in the ledger, nor that of a load that died."""
        self.target.refresh()
        if self.target.snapshot() is None:
            return self.ledger.load_seq() + 1
        summaries = (snapshot.summary for snapshot in self.target.history())
        on_main = next((int(summary[_LOAD_SEQ]) for summary in summaries if _LOAD_SEQ in summary), None)
        if on_main is None:
            # Maintenance has expired the snapshots that loads made.
            rows = self.session.read.table(full_name(self.target.name))
            on_main = rows.agg(F.max("load_seq")).collect()[0][0] or 0
        return max(self.ledger.load_seq(), on_main) + 1

    def _take(self, landings: list[Manifest], load_seq: int, *, is_replay: bool = False) -> list[Manifest]:
        """Load one batch without the scopes that are held back; returns the landings that were taken."""
        while landings := not_held_back(landings, self.held):
            batch = Batch(self.table, tuple(landings))
            refusals = self._write(batch, load_seq, is_replay=is_replay) if batch.rows or batch.sweeps else []
            if not refusals:
                self.result.landings += len(landings)
                self.result.rows += batch.rows
                break
            self.held += refusals
        return landings

    def _write(self, batch: Batch, load_seq: int, *, is_replay: bool) -> list[Refusal]:
        """Write one batch, unless an audit refuses scopes of it; returns the refusals."""
        before = self.target.snapshot()
        rows_before = before.rows if before else 0
        _tune(self.session, batch.rows, rows_before)
        with ExitStack() as stack:
            try:
                with engine_error(f"loading {self.target.name}"):
                    staged = stack.enter_context(stage(self.session, self.settings, batch, is_empty=rows_before == 0))
                    counts = count_rows(staged)
            except PermanentError as error:
                refusals = [] if isinstance(error, DiskError) else damaged(self.store, batch.landings, batch.table.name)
                if not refusals:
                    raise
                return refusals
            refusals = audit_read(batch, counts)
            if not refusals and not self.settings.allow_shrink:
                refusals = audit_removals(self.session, batch, staged, counts)
            if not refusals:
                self._write_staged(batch, staged, counts, load_seq, is_replay=is_replay)
            return refusals

    def _write_staged(self, batch: Batch, staged: DataFrame, counts: list[Count], load_seq: int, *, is_replay: bool) -> None:
        total: Counter[str] = Counter()
        for count in counts:
            total[count.action] += count.rows
        bad = _bad_lines(staged, self.table, load_seq) if total[BAD] else None
        if bad is not None:
            quarantine.hold_back(self.session, self.settings, bad)
        if any(total[action] for action in WRITTEN):
            # A replay's landings are in the ledger, so that main need not say that it has them.
            stamp(self.session, run_id=self.settings.run_id, **({} if is_replay else {"landings": ",".join(batch.newest)}))
            changes = staged.where(F.col("action").isin(*WRITTEN))
            self._commit(changes, batch.scope_literals(batch.landings), total, load_seq)
        if is_replay:
            ids = rows_frame(self.session, [{"landing_id": m.landing_id} for m in batch.landings], {"landing_id": "string"})
            still_bad = bad if bad is not None else ids.selectExpr("landing_id", "'' AS page_file", "0 AS line").limit(0)
            self.result.resolved += quarantine.resolve(
                self.session, self.settings, self.table.name, landings=ids, still_bad=still_bad, load_seq=load_seq
            )
        self.result.inserted += total[INSERT]
        self.result.updated += total[UPDATE]
        self.result.removed += total[REMOVAL] + total[REVIVAL]
        self.result.odd += sum(count.rows for count in counts if count.is_odd and count.action in (INSERT, UPDATE))
        self.result.quarantined += total[BAD]

    def _commit(self, changes: DataFrame, within: str, total: Counter[str], load_seq: int) -> None:
        """Write `changes` of the scopes `within` (SQL list) to the audit branch, audit it and move main to it."""
        stamp(self.session, load_seq=str(load_seq))
        before = self.target.snapshot()
        self.target.begin()
        _merge(self.table, changes, within, total, load_seq)
        self.target.refresh()
        rows_before = before.rows if before else 0
        audit_branch(self.session, self.table, self.target, rows_before=rows_before, total=total, load_seq=load_seq)
        self.target.publish()
        self.result.commits += 1


@dataclass(frozen=True, slots=True)
class _Stored:
    """A scope's rows in a table."""

    scope: str
    rows: int


def _tune(session: SparkSession, rows: int, rows_before: int = 0) -> None:
    """Set Spark up for so many rows, beside so many in the table."""
    usual = int(session.conf.get("spark.sql.shuffle.partitions") or 2)
    session.conf.set("spark.sql.shuffle.partitions", str(max(usual, -(-rows // _ROWS_A_PARTITION))))
    # For few rows compiling the generated code takes longer than interpreting the plan.
    is_small = rows + rows_before < _ROWS_WORTH_COMPILING
    session.conf.set("spark.sql.codegen.wholeStage", str(not is_small).lower())
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if is_small else "FALLBACK")


def _stamped(target: IcebergTable, newest: dict[str, str]) -> dict[int, dict[str, str]]:
    """Landings that main holds beyond the ledger: load sequence to newest landing by scope."""
    beyond: dict[int, dict[str, str]] = {}
    for snapshot in target.history():
        if f"{STAMP}landings" not in snapshot.summary:
            continue  # maintenance
        landings = {scope_of(name): name for name in snapshot.summary[f"{STAMP}landings"].split(",")}
        if all(name <= newest.get(scope, "") for scope, name in landings.items()):
            break
        beyond[int(snapshot.summary[_LOAD_SEQ])] = landings
    return dict(sorted(beyond.items()))


def _bad_lines(staged: DataFrame, table: Table, load_seq: int) -> DataFrame:
    """Rows that could not be typed, as quarantine takes them."""
    return staged.where(f"action = '{BAD}'").select(
        "landing_id",
        "source",
        "scope",
        F.lit(table.name).alias("table_name"),
        F.lit(quarantine.LINE).alias("kind"),
        "page_file",
        "line",
        F.lit(1).cast("bigint").alias("row_count"),
        "reason",
        "payload",
        F.lit(load_seq).cast("bigint").alias("load_seq"),
        F.current_timestamp().alias("loaded_at"),
    )


def _merge(table: Table, changes: DataFrame, within: str, total: Counter[str], load_seq: int) -> None:
    """MERGE `changes` into the audit branch; inserts alone add files without reading any."""
    stamped = changes.withColumn("load_seq", F.lit(load_seq).cast("bigint")).withColumn("loaded_at", F.lit(datetime.now(UTC)))
    # As literals, so that files of other scopes are not read.
    merge = merge_into(stamped, f"{RAW}.{table.name}.{BRANCH_NAME}", table.key, f"{BRANCH_NAME}.{table.scope} IN ({within})")
    if total[UPDATE]:
        merge = merge.whenMatched(F.col("s.action") == UPDATE).update(assignments(table.layout))
    if total[REMOVAL] + total[REVIVAL] and table.removal:
        changed = (table.removal.column, "landing_id", "fetched_at", "load_seq", "loaded_at")
        merge = merge.whenMatched(F.col("s.action").isin(REMOVAL, REVIVAL)).update(assignments(changed))
    if total[INSERT]:
        merge = merge.whenNotMatched(F.col("s.action") == INSERT).insert(assignments(table.layout))
    merge.merge()


def load(engine: SparkSession, settings: Settings, tables: list[str] | None = None, *, replay: bool = False) -> StepReport:
    """Load every complete landing that is not loaded yet, and write the step's report.

    With `replay` instead load again what quarantine holds back, once its cause is fixed. Scopes that an audit
    refuses are in the report's `held_back`, and no failure.

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
        details={
            "tables": {name: result.details() for name, result in results.items()},
            "held_back": [refusal.details() for result in results.values() for refusal in result.refusals],
        },
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
