"""Refs, stamps and snapshots through Iceberg's Java API, which takes milliseconds where SQL takes a query.

Also how a table is created; everything else goes through SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as Spark's own documentation calls it
from pyspark.sql.merge import MergeIntoWriter

from lakepulse.names import CATALOG
from lakepulse.outcome import PermanentError

BRANCH = "audit"
"""The branch that a load writes and its audit reads before main moves."""

BRANCH_NAME = f"branch_{BRANCH}"
"""The branch as the last part of a table's name in SQL."""

STAMP = "lakepulse."
"""Prefix of what lakepulse writes into a snapshot's summary or a table's properties."""

_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # Small row groups keep a writer of megabyte-long payloads within the driver's memory.
    "write.parquet.row-group-size-bytes": str(32 * 1024 * 1024),
    "write.merge.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.delete.mode": "copy-on-write",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


def full_name(name: str) -> str:
    """`namespace.table` with the catalog before it."""
    return f"{CATALOG}.{name}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot and its summary."""

    snapshot_id: int
    summary: dict[str, str]

    @property
    def rows(self) -> int:
        return int(self.summary.get("total-records", "0"))


class IcebergTable:
    """A table's metadata as of the last `refresh`, through Iceberg's Java API."""

    def __init__(self, session: SparkSession, name: str) -> None:
        self.name = name
        jvm: Any = session._jvm  # noqa: SLF001 - pyspark has no public way to Iceberg's Java API
        self._java = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(
            session._jsparkSession,  # noqa: SLF001
            full_name(name),
        )

    def refresh(self) -> None:
        self._java.refresh()

    @property
    def columns(self) -> dict[str, str]:
        """Column names with Iceberg's type names."""
        return {field.name(): str(field.type()) for field in self._java.schema().columns()}

    @property
    def properties(self) -> dict[str, str]:
        return dict(self._java.properties())

    @property
    def location(self) -> str:
        """The folder of the table's files, as a URL."""
        return str(self._java.location())

    def snapshot_ids(self) -> set[int]:
        """Every snapshot that is not expired, on any branch."""
        return {snapshot.snapshotId() for snapshot in self._java.snapshots()}

    def committed_at(self, snapshot_id: int) -> datetime:
        """When a snapshot was committed, UTC."""
        return datetime.fromtimestamp(self._java.snapshot(snapshot_id).timestampMillis() / 1000, UTC)

    def snapshot(self, ref: str = "main") -> Snapshot | None:
        """The snapshot that a branch or tag names; None without one."""
        java = self._java.snapshot(ref)
        return None if java is None else Snapshot(java.snapshotId(), dict(java.summary()))

    def history(self) -> Iterator[Snapshot]:
        """Main's snapshots that are not expired, newest first."""
        java = self._java.currentSnapshot()
        while java is not None:
            yield Snapshot(java.snapshotId(), dict(java.summary()))
            parent = java.parentId()
            java = None if parent is None else self._java.snapshot(parent)

    def refs(self) -> dict[str, int]:
        """Branches and tags with their snapshot ids."""
        return {name: ref.snapshotId() for name, ref in self._java.refs().items()}

    def stamped(self, key: str) -> str | None:
        """The table property STAMP + `key`; None without it."""
        return self.properties.get(f"{STAMP}{key}")

    def stamp(self, key: str, value: str) -> None:
        """Set the table property STAMP + `key`, which takes no snapshot."""
        self._java.updateProperties().set(f"{STAMP}{key}", value).commit()

    def begin(self) -> None:
        """Create the audit branch from main, in place of one that a load left behind."""
        main = self._java.currentSnapshot()
        exists = BRANCH in self.refs()
        if main is None and exists:
            # Left behind by a first load; main has no snapshot yet to replace the branch with.
            self._java.manageSnapshots().removeBranch(BRANCH).commit()
        change = self._java.manageSnapshots()
        if main is None:
            change.createBranch(BRANCH).commit()
        elif exists:
            change.replaceBranch(BRANCH, main.snapshotId()).commit()
        else:
            change.createBranch(BRANCH, main.snapshotId()).commit()

    def publish(self) -> None:
        """Move main to the audited branch and remove the branch."""
        self._java.manageSnapshots().fastForwardBranch("main", BRANCH).removeBranch(BRANCH).commit()

    def remove_tags(self, names: list[str]) -> None:
        """Remove tags in one commit."""
        change = self._java.manageSnapshots()
        for name in names:
            change = change.removeTag(name)
        change.commit()


def ensure_table(
    session: SparkSession,
    name: str,
    layout: dict[str, str],
    *,
    partitions: str = "",
    target_file_mb: int = 64,
    stamps: dict[str, str] | None = None,
) -> IcebergTable:
    """The table, created if it does not exist, with the columns that a later version added.

    Args:
        layout: columns with their SQL types, in order.
        partitions: SQL list of partition transforms.
        target_file_mb: size of data files, MB.
        stamps: properties that a new table gets, without STAMP.

    Raises:
        PermanentError: a column has another type.
    """
    if not session.catalog.tableExists(full_name(name)):
        columns = ", ".join(f"`{column}` {kind}" for column, kind in layout.items())
        properties = _PROPERTIES | {"write.target-file-size-bytes": str(target_file_mb * 1024 * 1024)}
        if "payload" in layout:
            properties["write.metadata.metrics.column.payload"] = "none"
        properties |= {f"{STAMP}{key}": value for key, value in (stamps or {}).items()}
        listed = ", ".join(f"'{key}'='{value}'" for key, value in properties.items())
        session.sql(f"CREATE NAMESPACE IF NOT EXISTS {full_name(name).rsplit('.', 1)[0]}")
        session.sql(
            f"CREATE TABLE IF NOT EXISTS {full_name(name)} ({columns}) USING iceberg"
            + (f" PARTITIONED BY ({partitions})" if partitions else "")
            + f" TBLPROPERTIES ({listed})"
        )
    table = IcebergTable(session, name)
    found = table.columns
    for column, kind in layout.items():
        due = _ICEBERG_TYPES[kind]
        if found.get(column, due) != due:
            raise PermanentError(
                f"{name}.{column} is {found[column]}, this version needs {due}; use another DATA_DIR or catalog"
            )
    if added := {column: kind for column, kind in layout.items() if column not in found}:
        session.sql(f"ALTER TABLE {full_name(name)} ADD COLUMNS ({', '.join(f'`{c}` {k}' for c, k in added.items())})")
        table.refresh()
    return table


_ICEBERG_TYPES = {
    "string": "string",
    "bigint": "long",
    "int": "int",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
    "array<string>": "list<string>",
}


def stamp(session: SparkSession, **values: str) -> None:
    """Write `values` into the summary of every snapshot that `session` commits from now on."""
    for key, value in values.items():
        session.conf.set(f"spark.sql.iceberg.snapshot-property.{STAMP}{key.replace('_', '-')}", value)


def merge_into(source: DataFrame, name: str, key: Iterable[str], also: str = "true") -> MergeIntoWriter:
    """A MERGE of `source`, aliased `s`, into the table `name` on equal keys.

    Not by SQL and a temporary view: Spark 4.1 would read again what the frame has cached.
    """
    target = name.rsplit(".", 1)[-1]
    condition = " AND ".join([also, *(f"{target}.{column} = s.{column}" for column in key)])
    return source.alias("s").mergeInto(full_name(name), F.expr(condition))


def assignments(columns: Iterable[str]) -> dict[str, Column]:
    """Each column set to the source's of the same name."""
    return {column: F.col(f"s.{column}") for column in columns}
