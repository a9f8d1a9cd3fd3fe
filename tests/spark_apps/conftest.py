"""Each test has a data folder and a catalog of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyspark.sql import SparkSession

from lakepulse.catalog import pyiceberg_properties
from lakepulse.data_dir import open_data_dir
from lakepulse.landing import scopes
from lakepulse.names import CATALOG
from lakepulse.reports import StepReport
from lakepulse.settings import Settings
from lakepulse.sources import SOURCES, raw_tables
from lakepulse.store import open_store
from spark_apps.load import load
from spark_apps.session import bound_session

# What depends on the clock or the run; all else must not depend on when or how often a load ran.
RUN_COLUMNS = {"load_seq", "loaded_at"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # pyspark leaves the socket of each collect(), and py4j that of each thread, to the garbage collector.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


class Lake:
    """A data folder with what the tests do to it. Tables are read by PyIceberg, not by what wrote them."""

    def __init__(self, engine: SparkSession, folder: Path) -> None:
        self.engine = engine
        self.settings = Settings(data_dir=folder, run_id="run-1", demo=True)
        open_data_dir(self.settings)
        self.store = open_store(self.settings)

    def load(self, *tables: str, **changes: Any) -> StepReport:
        settings = self.settings.model_copy(update={key: value for key, value in changes.items() if key != "replay"})
        landed = {SOURCES[source].table for source in SOURCES if scopes(self.store, source)}
        # Creating tables without landings costs time and tests nothing.
        chosen = list(tables) or [name for name in raw_tables() if name in landed]
        return load(self.engine, settings, chosen, replay=changes.get("replay", False))

    def sql(self, query: str) -> list[Any]:
        return bound_session(self.engine, self.settings).sql(query).collect()

    @contextmanager
    def opened(self, _: Settings) -> Iterator[SparkSession]:
        """In place of `open_session`: the tests' engine, which outlives the block."""
        yield self.engine

    @property
    def catalog(self) -> Catalog:
        return load_catalog(CATALOG, **pyiceberg_properties(self.settings))

    def rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        """Rows of main of a raw table, sorted; all columns, or those named."""
        return self.rows_of(f"raw.{table}", *columns)

    def rows_of(self, name: str, *columns: str) -> list[dict[str, Any]]:
        """The same of any table."""
        try:
            found = self.catalog.load_table(name).scan(selected_fields=columns or ("*",)).to_arrow().to_pylist()
        except NoSuchTableError:
            return []
        return sorted(found, key=str)

    def content(self, table: str) -> list[dict[str, Any]]:
        """Rows of main without RUN_COLUMNS."""
        return sorted(
            ({key: value for key, value in row.items() if key not in RUN_COLUMNS} for row in self.rows(table)), key=str
        )

    def snapshot_id(self, table: str) -> int | None:
        snapshot = self.catalog.load_table(f"raw.{table}").current_snapshot()
        return snapshot.snapshot_id if snapshot else None


@pytest.fixture
def lake(engine: SparkSession, tmp_path: Path) -> Lake:
    return Lake(engine, tmp_path / "data")
