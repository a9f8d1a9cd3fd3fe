"""The step `maintain`: keep the tables small and quick, and everything readable that somebody may still read.

First withdraw publications that are too old, so that nobody is offered what goes next. Then per table, under its
writers' lock: compact small files, remove the tags of publications that are gone, expire snapshots without a tag or
branch, remove files that no snapshot needs. Then remove old reports and logs of runs. Landings are not touched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import obstore
import structlog
from pyspark.sql import Row, SparkSession

from lakepulse.cli import main
from lakepulse.data_dir import open_data_dir
from lakepulse.locks import lock
from lakepulse.names import CATALOG, GOLD, OPS, PUBLICATIONS, RAW
from lakepulse.outcome import StepError, one_line
from lakepulse.publications import TAG_PREFIX, recency
from lakepulse.publications import tag as publication_tag
from lakepulse.reports import TRACES, StepReport, write_report
from lakepulse.settings import Settings
from lakepulse.store import Store, open_store
from spark_apps.errors import engine_error, joined
from spark_apps.iceberg import IcebergTable, full_name, stamp
from spark_apps.session import bound_session, open_session

log = structlog.get_logger()

PUBLICATIONS_KEPT = timedelta(days=90)
"""A publication stays readable for this long; the newest one always."""

SNAPSHOTS_KEPT = timedelta(days=7)
"""A snapshot without a tag or branch is kept for this long."""

ORPHANS_KEPT = timedelta(days=3)
"""A file younger than this may belong to a commit in progress."""

TRACES_KEPT = timedelta(days=90)
"""Reports and logs of a run are kept for this long; its outcome stays in `ops.runs`."""

_PROPERTIES = {"write.metadata.delete-after-commit.enabled": "true", "write.metadata.previous-versions-max": "20"}


@dataclass(slots=True)
class Kept:
    """What maintenance did to one table."""

    compacted_files: int = 0
    removed_tags: int = 0
    expired_snapshots: int = 0
    orphans: int = 0
    files_removed: int = 0
    bytes_removed: int = 0
    seconds: float = 0.0


def maintain(engine: SparkSession, settings: Settings, now: datetime | None = None) -> StepReport:
    """Maintain every table of the catalog and write the step's report.

    Args:
        now: UTC, the moment from which the ages of publications and snapshots count; the present by default.

    Raises:
        StepError: a table could not be maintained; the others were.
    """
    started = datetime.now(UTC)
    session = bound_session(engine, settings)
    stamp(session, run_id=settings.run_id)
    done: dict[str, Kept] = {}
    errors: list[StepError] = []
    with engine_error("listing the tables"):
        names = _tables(session)
    withdrawn: dict[str, datetime] = {}
    if PUBLICATIONS in names:
        with engine_error("withdrawing old publications"), lock(settings, GOLD):
            withdrawn = _withdraw(session, now or started)
    for name in names:
        began = time.monotonic()
        try:
            with engine_error(f"maintaining {name}"), lock(settings, _lock_of(name)):
                done[name] = _maintain_table(session, settings, name, now or started, withdrawn)
                done[name].seconds = round(time.monotonic() - began, 2)
                log.info("maintained", table=name, **asdict(done[name]))
        except StepError as error:
            errors.append(error)
    # A file's age is by the real clock.
    traces = _remove_traces(open_store(settings), datetime.now(UTC) - TRACES_KEPT)
    failure = joined(errors)
    files, size = sum(kept.files_removed for kept in done.values()), sum(kept.bytes_removed for kept in done.values())
    log.info("maintained all", tables=len(done), files_removed=files, bytes_removed=size, traces_removed=traces)
    report = StepReport(
        run_id=settings.run_id,
        step="maintain",
        outcome="failed" if failure else "succeeded",
        started_at=started,
        ended_at=datetime.now(UTC),
        message=one_line(failure) if failure else None,
        details={
            "publications_withdrawn": len(withdrawn),
            "files_removed": files,
            "bytes_removed": size,
            "traces_removed": traces,
            "tables": {name: asdict(kept) for name, kept in done.items()},
        },
    )
    write_report(open_store(settings), report)
    if failure:
        raise failure
    return report


def _tables(session: SparkSession) -> list[str]:
    """Every `namespace.table` of the catalog, sorted; on a cluster dbt's tables are among them."""
    return sorted(
        f"{namespace}.{row['tableName']}"
        for (namespace,) in session.sql(f"SHOW NAMESPACES IN {CATALOG}").collect()
        for row in session.sql(f"SHOW TABLES IN {full_name(namespace)}").collect()
    )


def _withdraw(session: SparkSession, now: datetime) -> dict[str, datetime]:
    """Delete the rows of publications older than the limit, except the newest; their tags, and when they were published."""
    published = _published(session, now)
    old = {tag: time for tag, time in published.items() if time < now - PUBLICATIONS_KEPT}
    if old:
        listed = ", ".join(f"'{tag.removeprefix(TAG_PREFIX)}'" for tag in sorted(old))
        session.sql(f"DELETE FROM {full_name(PUBLICATIONS)} WHERE run_id IN ({listed})")
        log.info("withdrew old publications", number=len(old))
    return old


def _published(session: SparkSession, now: datetime) -> dict[str, datetime]:
    """The tag of each publication with the time from which its age counts, UTC: the newest is as young as can be."""
    rows = session.sql(f"SELECT run_id, as_of, published_at FROM {full_name(PUBLICATIONS)}").collect()
    newest = max(rows, key=lambda row: recency(row.as_of, row.published_at), default=None)
    times = {publication_tag(row.run_id): row.published_at.astimezone(UTC) for row in rows}
    return times | ({publication_tag(newest.run_id): now} if newest else {})


def _named(session: SparkSession, name: str) -> set[int]:
    """Snapshots of a gold table that publications name; a later one may name what an earlier one has tagged."""
    if not name.startswith(f"{GOLD}."):
        return set()
    table = name.removeprefix(f"{GOLD}.")
    rows = session.sql(f"SELECT DISTINCT snapshots['{table}'] AS id FROM {full_name(PUBLICATIONS)}").collect()
    return {row.id for row in rows if row.id is not None}


def _lock_of(name: str) -> str:
    """The lock that a table's writers hold: load locks its table, record its namespace, build and publish lock gold."""
    namespace = name.split(".", 1)[0]
    return {RAW: name, OPS: OPS}.get(namespace, GOLD)


def _maintain_table(
    session: SparkSession, settings: Settings, name: str, now: datetime, withdrawn: Mapping[str, datetime]
) -> Kept:
    kept = Kept()
    table = IcebergTable(session, name)
    missing = {key: value for key, value in _PROPERTIES.items() if table.properties.get(key) != value}
    if missing:
        listed = ", ".join(f"'{key}'='{value}'" for key, value in missing.items())
        session.sql(f"ALTER TABLE {full_name(name)} SET TBLPROPERTIES ({listed})")
    store = _store_of(settings, table.location)
    before = _files(store)
    # One commit writes a gold table; only tables that grow by a row a run need compaction.
    if not name.startswith(f"{GOLD}.") or name == PUBLICATIONS:
        kept.compacted_files = _compact(session, name)
    table.refresh()
    if old := _old_tags(session, table, now, withdrawn):
        table.remove_tags(old)
        kept.removed_tags = len(old)
    # With nothing old enough, the procedures would still read the whole table.
    snapshots = table.snapshot_ids()
    if any(table.committed_at(snapshot) < now - SNAPSHOTS_KEPT for snapshot in snapshots - set(table.refs().values())):
        _call(session, "expire_snapshots", table=f"'{name}'", older_than=_literal(now - SNAPSHOTS_KEPT), retain_last="1")
        table.refresh()
        kept.expired_snapshots = len(snapshots) - len(table.snapshot_ids())
    # A file's age is by the real clock.
    limit = datetime.now(UTC) - ORPHANS_KEPT
    if any(file.modified_at < limit for file in before.values()):
        kept.orphans = _remove_orphans(session, name, limit)
    after = _files(store)
    gone = before.keys() - after.keys()
    kept.files_removed, kept.bytes_removed = len(gone), sum(before[path].size for path in gone)
    return kept


def _call(session: SparkSession, procedure: str, **arguments: str) -> list[Row]:
    listed = ", ".join(f"{key} => {value}" for key, value in arguments.items())
    return session.sql(f"CALL {CATALOG}.system.{procedure}({listed})").collect()


def _literal(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00:00'"


def _compact(session: SparkSession, name: str) -> int:
    """Join the small files of partitions with at least five; returns the number of files joined."""
    (row,) = _call(session, "rewrite_data_files", table=f"'{name}'", options="map('min-input-files', '5')")
    return int(row["rewritten_data_files_count"])


def _old_tags(session: SparkSession, table: IcebergTable, now: datetime, withdrawn: Mapping[str, datetime]) -> list[str]:
    """Tags of publications that may be removed.

    One without a publication belongs to one that did not finish, or that was withdrawn by maintenance that died: its
    snapshot's age counts.
    """
    tags = {tag: snapshot for tag, snapshot in table.refs().items() if tag.startswith(TAG_PREFIX)}
    if not tags:
        return []
    # Read again, under the lock: a run may have published since.
    published = {**withdrawn, **_published(session, now)}
    named = _named(session, table.name)
    limit = now - PUBLICATIONS_KEPT
    return sorted(
        tag
        for tag, snapshot in tags.items()
        if snapshot not in named and published.get(tag, table.committed_at(snapshot)) < limit
    )


def _remove_orphans(session: SparkSession, name: str, limit: datetime) -> int:
    """Remove files older than `limit` that no snapshot needs; a dry run lists them first. Returns their number."""
    arguments = {"table": f"'{name}'", "older_than": _literal(limit), "prefix_listing": "true"}
    found = _call(session, "remove_orphan_files", **arguments, dry_run="true")
    if not found:
        return 0
    log.info("orphans", table=name, files=len(found), first=found[0]["orphan_file_location"])
    _call(session, "remove_orphan_files", **arguments)
    return len(found)


def _remove_traces(store: Store, limit: datetime) -> int:
    """Remove reports and logs of runs older than `limit`; returns the number of files."""
    old = [
        str(entry["path"])
        for folder in TRACES
        for batch in obstore.list(store, prefix=folder)
        for entry in batch
        if entry["last_modified"] < limit
    ]
    if old:
        obstore.delete(store, old)
    return len(old)


def _store_of(settings: Settings, location: str) -> Store:
    """The table's folder as a store, to count files and bytes."""
    parts = urlsplit(location)
    url = Path(parts.path).as_uri() if parts.scheme in ("", "file") else location
    return open_store(settings.model_copy(update={"lake_url": url}))


class _File(NamedTuple):
    """A file's size in bytes, and when it was written."""

    size: int
    modified_at: datetime


def _files(store: Store) -> dict[str, _File]:
    """Every file by path."""
    listed = (entry for batch in obstore.list(store) for entry in batch)
    return {str(entry["path"]): _File(entry["size"], entry["last_modified"]) for entry in listed}


def maintain_step(settings: Settings) -> None:
    """Run the step on an engine of its own.

    Raises:
        StepError: Spark did not start, or a table could not be maintained.
    """
    open_data_dir(settings)
    with open_session(settings) as engine:
        maintain(engine, settings)


if __name__ == "__main__":
    sys.exit(main(["maintain", *sys.argv[1:]]))
