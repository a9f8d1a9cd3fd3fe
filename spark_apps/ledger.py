"""The ledger `raw.landings`: which landings are loaded, one row each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakepulse.landing import Manifest
from lakepulse.locks import lock
from lakepulse.names import LANDINGS
from lakepulse.settings import Settings
from spark_apps.iceberg import assignments, ensure_table, full_name, merge_into

LAYOUT = {
    "landing_id": "string",
    "source": "string",
    "scope": "string",
    "run_id": "string",
    "as_of": "date",
    "started_at": "timestamp",
    "finished_at": "timestamp",
    "status": "string",
    "status_detail": "string",
    "upstream_status": "string",
    "pages": "int",
    "rows": "bigint",
    "requests": "bigint",
    "quota": "bigint",
    "watermark": "timestamp",
    "covered_from": "timestamp",
    "covered_to": "timestamp",
    "last_event_at": "timestamp",
    "upstream_id": "bigint",
    "upstream_name": "string",
    "load_seq": "bigint",
    "loaded_at": "timestamp",
}


def scope_of(landing_id: str) -> str:
    """`<source>/<slug>`: the scope whose landings are in one order."""
    return landing_id.rsplit("/", 1)[0]


def rows_frame(session: SparkSession, rows: list[dict[str, Any]], layout: dict[str, str]) -> DataFrame:
    """A small frame of literal rows, which takes no Python worker and no temporary file."""
    struct = ", ".join(f"`{name}`: {kind}" for name, kind in layout.items())
    return session.sql(
        f"SELECT inline(from_json(:rows, 'ARRAY<STRUCT<{struct}>>'))", args={"rows": json.dumps(rows, default=_plain)}
    )


def _plain(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class Ledger:
    """The ledger's content, read again only when it has changed."""

    def __init__(self, session: SparkSession, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._table = ensure_table(session, LANDINGS, LAYOUT)
        self._read_at: int | None = None
        self._newest: dict[str, str] = {}
        self._load_seq = 0

    def _read(self) -> None:
        self._table.refresh()
        snapshot = self._table.snapshot()
        if snapshot is None or snapshot.snapshot_id == self._read_at:
            return
        found = self._session.sql(
            f"SELECT max(landing_id) AS newest, max(load_seq) AS load_seq FROM {full_name(LANDINGS)}"
            " VERSION AS OF " + str(snapshot.snapshot_id) + " GROUP BY substring_index(landing_id, '/', 2)"
        ).collect()
        self._newest = {scope_of(row.newest): row.newest for row in found}
        self._load_seq = max((row.load_seq for row in found), default=0)
        self._read_at = snapshot.snapshot_id

    def newest(self) -> dict[str, str]:
        """The newest loaded landing of each scope, by `scope_of`."""
        self._read()
        return dict(self._newest)

    def load_seq(self) -> int:
        """The highest load sequence in it; 0 if it is empty."""
        self._read()
        return self._load_seq

    def add(self, loaded: list[tuple[Manifest, int]]) -> None:
        """Add landings with the load sequence that loaded them; rows that exist stay as they are.

        Raises:
            TemporaryError: another run holds the ledger's lock.
        """
        if not loaded:
            return
        now = datetime.now(UTC)
        rows = [
            manifest.model_dump(mode="json", exclude={"layout", "has_keys", "complete"})
            | {"pages": len(manifest.pages), "rows": manifest.rows, "load_seq": load_seq, "loaded_at": now}
            for manifest, load_seq in loaded
        ]
        with lock(self._settings, LANDINGS):
            frame = rows_frame(self._session, rows, LAYOUT)
            merge_into(frame, LANDINGS, ["landing_id"]).whenNotMatched().insert(assignments(LAYOUT)).merge()
