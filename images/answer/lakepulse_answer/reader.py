"""Reads publications: gold at the snapshots of one run, queried by DuckDB in this process.

A publication never changes and gold is small, so each table is read once.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb
from pyiceberg.catalog import load_catalog

from lakepulse.catalog import read_only_properties
from lakepulse.data_dir import look_into_data_dir
from lakepulse.names import CATALOG, GOLD
from lakepulse.outcome import PermanentError
from lakepulse.publications import Publication, find_publication, publications, read_table
from lakepulse.settings import Settings

_QUERIES = Path(__file__).with_name("queries")
_TABLE = re.compile(rf"\b{GOLD}\.(\w+)\b")
_KEPT = 4
"""Publications in memory; the one that was used longest ago goes."""

Row = dict[str, Any]


@cache
def query(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8").strip()


class Reader:
    """The publications of a catalog. For any number of threads, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self.lock = RLock()
        self._settings = settings
        self._pinned: OrderedDict[str, Pinned] = OrderedDict()
        look_into_data_dir(settings)
        self._catalog = load_catalog(CATALOG, **read_only_properties(settings))

    def find(self, wanted: str | None) -> Pinned:
        """The publication of a run or a date, or the newest.

        Raises:
            PermanentError: there is no such publication.
        """
        return self._pin(find_publication(self._catalog, self._settings, wanted))

    def of(self, key: str) -> Pinned:
        """The publication with this key.

        Raises:
            PermanentError: there is none.
        """
        found = next((each for each in publications(self._catalog) if each.key == key), None)
        if found is None:
            raise PermanentError("the publication of this receipt is not in this catalog")
        return self._pin(found)

    def _pin(self, publication: Publication) -> Pinned:
        pinned = self._pinned.pop(publication.key, None) or Pinned(self._catalog, publication)
        self._pinned[publication.key] = pinned
        while len(self._pinned) > _KEPT:
            self._pinned.popitem(last=False)[1].close()
        return pinned


class Pinned:
    """The tables of one publication."""

    def __init__(self, catalog: Any, publication: Publication) -> None:
        self.publication = publication
        self._catalog = catalog
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
        self._connection.execute(f"set timezone = 'UTC'; create schema {GOLD}")
        self._read: set[str] = set()

    def rows(self, name: str, values: Mapping[str, Any]) -> list[Row]:
        """The rows of `queries/<name>.sql`.

        Raises:
            PermanentError: the publication lacks a table, or its snapshot has expired.
        """
        for table in tables_of(name):
            self._take(table)
        cursor = self._connection.execute(query(name), dict(values))
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def _take(self, table: str) -> None:
        if table in self._read:
            return
        when = f"the publication as of {self.publication.as_of}"
        snapshot_id = self.publication.snapshots.get(table)
        if snapshot_id is None:
            raise PermanentError(f"{when} has no table {table}; an older version of the pipeline made it")
        if self._catalog.load_table(f"{GOLD}.{table}").snapshot_by_id(snapshot_id) is None:
            raise PermanentError(f"{when} has expired: snapshot {snapshot_id} of {table} is no longer kept")
        content = read_table(self._catalog, self.publication, table)
        self._connection.register("content", content)
        self._connection.execute(f"create table {GOLD}.{table} as from content")
        self._connection.unregister("content")
        self._read.add(table)

    def close(self) -> None:
        self._connection.close()


def tables_of(name: str) -> list[str]:
    """The gold tables that a query reads."""
    return sorted(set(_TABLE.findall(query(name))))
