"""Copy the gold that passed into the Iceberg namespace `gold`, and name it as one publication."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import structlog
from pyarrow import csv
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io.pyarrow import _dataframe_to_data_files, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import ManageSnapshots

from lakepulse.data_dir import open_data_dir
from lakepulse.locks import lock
from lakepulse.names import GOLD, PUBLICATIONS
from lakepulse.outcome import PermanentError, StepError
from lakepulse.publications import Publication, publications
from lakepulse.publications import tag as publication_tag
from lakepulse.settings import Settings
from lakepulse_dbt.alerts import Alert, Rule, Unchecked, check, load_rules
from lakepulse_dbt.build_store import GOLD_LOCK, GoldTable, Passed, State, open_build_store
from lakepulse_dbt.figures import breaks, figures
from lakepulse_dbt.steps import catalog_errors, reported, told
from lakepulse_dbt.warehouse import PUBLICATIONS_SCHEMA, TABLE_PROPERTIES, open_catalog

log = structlog.get_logger()

RUN_ID = "lakepulse.run-id"
AS_OF = "lakepulse.as-of"
CONTENT = "lakepulse.content-sha256"
"""Snapshot summary keys."""

GRAIN = "lakepulse.grain"
"""Table property: the grain columns, separated by commas."""


def publish(settings: Settings) -> None:
    """Publish what `build` of this run left behind; a run that is published already stays as it is.

    Each changed table gets one commit. The row in `gold.publications` is the last act: until
    then readers stay on the publication before. The newest publication is checked against the
    alert rules, and what breaks one goes into the report.

    Raises:
        PermanentError: this run's build is not there, or did not pass, or the rules cannot be read.
        TemporaryError: another run builds or publishes, or the catalog did not answer.
    """
    open_data_dir(settings)
    with reported(settings, "publish") as report, lock(settings, GOLD_LOCK):
        rules = load_rules(settings.alerts)
        catalog = open_catalog(settings)
        changed: list[str] = []
        if any(publication.run_id == settings.run_id for publication in publications(catalog)):
            log.info("the run is published already", run_id=settings.run_id)
        else:
            changed = _publish(settings, catalog)
        known = publications(catalog)
        report.rows = sum(next(found.row_counts for found in known if found.run_id == settings.run_id).values())
        report.details |= {"changed": changed} | _checked(catalog, rules, known[0], settings)


def _checked(catalog: Catalog, rules: list[Rule], newest: Publication, settings: Settings) -> dict[str, Any]:
    """What the rules found, for the report: `alerts`, `unchecked`, and `alerts_error` if the check itself failed."""
    alerts: list[Alert] = []
    unchecked: list[Unchecked] = []
    error: str | None = None
    if newest.run_id == settings.run_id:
        try:
            with catalog_errors():
                found = figures(catalog, newest)
                alerts, unchecked = check(rules, found, breaks(catalog, newest, found))
        except Exception as problem:
            # Readers see the publication already, so the step did what it is for.
            error = told(problem)
            is_expected = isinstance(problem, StepError)
            log.error("published, but the alert rules were not checked", error=error, exc_info=not is_expected)
    for alert in alerts:
        log.warning("alert", project=alert.project, figure=alert.figure, message=alert.message)
    for rule in unchecked:
        log.info("an alert rule was not checked", project=rule.project, figure=rule.figure, message=rule.message)
    return {
        "alerts": [alert.model_dump() for alert in alerts],
        "unchecked": [rule.model_dump() for rule in unchecked],
        "alerts_error": error,
    }


def _publish(settings: Settings, catalog: Catalog) -> list[str]:
    """Returns the names of the tables that changed."""
    store = open_build_store(settings, catalog)
    state, passed = _passed(store.state(), settings)
    known = publications(catalog)
    named = {table.name: {publication.snapshots.get(table.name) for publication in known} for table in passed.tables}
    snapshots: dict[str, int] = {}
    changed: list[str] = []
    for table in passed.tables:
        # Maintenance keeps a snapshot as long as a publication names it.
        if table.published is not None and table.published in named[table.name]:
            snapshots[table.name] = table.published
            continue
        content = store.read(table).sort_by([(column, "ascending") for column in table.grain])
        snapshots[table.name], is_new = publish_table(catalog, table, content, passed)
        changed += [table.name] if is_new else []
    # Later than every other, even after a clock was set back: the newest of a date is the last one published.
    latest = max((publication.published_at for publication in known), default=datetime.min.replace(tzinfo=UTC))
    row = {
        "run_id": passed.run_id,
        "as_of": passed.as_of,
        "published_at": max(datetime.now(UTC), latest + timedelta(microseconds=1)),
        "is_demo": passed.is_demo,
        "code_version": state.code_version,
        "snapshots": list(snapshots.items()),
        "row_counts": [(table.name, table.rows) for table in passed.tables],
    }
    catalog.load_table(PUBLICATIONS).append(
        pa.Table.from_pylist([row], schema=PUBLICATIONS_SCHEMA), snapshot_properties={RUN_ID: passed.run_id}
    )
    tables = tuple(table.model_copy(update={"published": snapshots[table.name]}) for table in passed.tables)
    store.save(state.model_copy(update={"passed": passed.model_copy(update={"tables": tables})}))
    log.info("published", run_id=passed.run_id, as_of=str(passed.as_of), tables=len(snapshots), changed=len(changed))
    return changed


def _passed(state: State | None, settings: Settings) -> tuple[State, Passed]:
    if state is None or state.passed is None:
        raise PermanentError("there is no build that passed its tests; run `lakepulse build` first")
    passed = state.passed
    if (passed.run_id, passed.as_of, passed.is_demo) != (settings.run_id, settings.as_of, settings.demo):
        raise PermanentError(
            f"the build that passed is from run {passed.run_id} as of {passed.as_of}, "
            f"not from {settings.run_id} as of {settings.as_of}; build this run again"
        )
    return state, passed


def publish_table(catalog: Catalog, gold: GoldTable, rows: pa.Table, passed: Passed) -> tuple[int, bool]:
    """Give the Iceberg table these rows, sorted by its grain, and tag the snapshot, in one commit.

    Returns:
        The snapshot to read, and whether it is new: unchanged content keeps its snapshot.
    """
    identifier = f"{GOLD}.{gold.name}"
    documented = pa.schema(
        [field.with_metadata({"doc": text} if (text := gold.columns.get(field.name)) else {}) for field in rows.schema]
    )
    rows = rows.cast(documented)
    properties = TABLE_PROPERTIES | {GRAIN: ",".join(gold.grain), "comment": gold.description}
    change = _Change(rows, {RUN_ID: passed.run_id, AS_OF: passed.as_of.isoformat(), CONTENT: content_hash(rows)})
    tag = publication_tag(passed.run_id)
    try:
        table = catalog.load_table(identifier)
    except NoSuchTableError:
        with catalog.create_table_transaction(identifier, documented, properties=properties) as creation:
            snapshot_id = change.write(creation, [])
            ManageSnapshots(creation).create_tag(snapshot_id, tag).commit()
        return snapshot_id, True
    with table.transaction() as transaction:
        if any(table.properties.get(key) != value for key, value in properties.items()):
            transaction.set_properties(properties)
        evolved = _evolve(transaction, table.schema(), documented)
        current = table.current_snapshot()
        is_new = current is None or evolved or _published_content(table) != change.summary[CONTENT]
        if is_new or current is None:
            snapshot_id = change.write(transaction, [task.file for task in table.scan().plan_files()])
        else:
            snapshot_id = current.snapshot_id
        reference = table.metadata.refs.get(tag)
        if reference is None or reference.snapshot_id != snapshot_id:
            ManageSnapshots(transaction).create_tag(snapshot_id, tag).commit()
    return snapshot_id, is_new


@dataclass(frozen=True)
class _Change:
    rows: pa.Table
    summary: dict[str, str]

    def write(self, transaction: Transaction, replaced: list[DataFile]) -> int:
        """One snapshot that holds these rows alone. `Transaction.overwrite` would make two: a delete and an append."""
        with transaction.update_snapshot(snapshot_properties=self.summary).overwrite() as overwrite:
            for file in replaced:
                overwrite.delete_data_file(file)
            if self.rows.num_rows:  # PyIceberg divides by it
                files = _dataframe_to_data_files(
                    table_metadata=transaction.table_metadata,
                    df=self.rows,
                    io=transaction._table.io,  # noqa: SLF001 - as PyIceberg's own append does
                    write_uuid=overwrite.commit_uuid,
                )
                for file in files:
                    overwrite.append_data_file(file)
        return overwrite.snapshot_id


def _evolve(transaction: Transaction, schema: Schema, wanted: pa.Schema) -> bool:
    """Make the columns those of `wanted`, in its order; True if names or types change.

    A column whose type changed becomes a new column, so that older snapshots stay readable.
    """
    present = {field.name: _plain(field.type) for field in schema_to_pyarrow(schema, include_field_ids=False)}
    needed = {field.name: _plain(field.type) for field in wanted}
    outdated = [name for name, kind in present.items() if needed.get(name) != kind]
    if outdated:
        with transaction.update_schema(allow_incompatible_changes=True) as update:
            for name in outdated:
                update.delete_column(name)
    with transaction.update_schema() as update:
        update.union_by_name(wanted)
    order = [field.name for field in transaction.table_metadata.schema().fields]
    if order != wanted.names:
        with transaction.update_schema() as update:
            update.move_first(wanted.names[0])
            for before, name in zip(wanted.names, wanted.names[1:], strict=False):
                update.move_after(name, before)
    return list(present.items()) != list(needed.items())


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) else kind


def _published_content(table: Table) -> str | None:
    """The hash of what the table holds; compaction changes files, not rows, and keeps no summary of ours."""
    snapshot = table.current_snapshot()
    while snapshot is not None and snapshot.summary is not None and snapshot.summary.operation == Operation.REPLACE:
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return snapshot.summary[CONTENT] if snapshot is not None and snapshot.summary is not None else None


def content_hash(rows: pa.Table) -> str:
    """SHA-256 of the rows as CSV: independent of chunks, files and engine. Sort the rows first."""
    digest = _Digest()
    csv.write_csv(rows, pa.PythonFile(digest, mode="w"))
    return digest.hash.hexdigest()


class _Digest:
    """A file that keeps nothing but the hash of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...
