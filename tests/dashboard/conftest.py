"""A published sample lake, SQL on it that shares no code with the dashboard, and the app over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.views import PAGES
from lakepulse.names import GOLD, PUBLICATIONS
from lakepulse.settings import Settings
from tests.dashboard import sample

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"

Rows = list[tuple[Any, ...]]
Sql = Callable[..., Rows]
App = Callable[..., AppTest]


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A sample lake with a publication from a week ago, one from today, and a failed run."""
    return sample.build(tmp_path_factory.mktemp("lake"))


def read_gold(settings: Settings, run_id: str) -> duckdb.DuckDBPyConnection:
    """DuckDB with the tables of one publication, without their namespace."""
    catalog = sample.open_catalog(settings)
    published = catalog.load_table(PUBLICATIONS).scan(row_filter=f"run_id = '{run_id}'").to_arrow().to_pylist()[0]
    connection = duckdb.connect()
    for name, snapshot_id in published["snapshots"]:
        rows = catalog.load_table(f"{GOLD}.{name}").scan(snapshot_id=snapshot_id).to_arrow()
        connection.register("rows", rows)
        connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM rows')  # noqa: S608 - our own names
        connection.unregister("rows")
    return connection


@pytest.fixture(scope="session")
def newest(lake: Settings) -> Sql:
    """Run SQL on the newest publication."""
    connection = read_gold(lake, "sample-2")
    return lambda sql, *values: connection.cursor().execute(sql, values).fetchall()


@pytest.fixture(scope="session")
def older(lake: Settings) -> Sql:
    """Run SQL on the publication from a week earlier."""
    connection = read_gold(lake, "sample-1")
    return lambda sql, *values: connection.cursor().execute(sql, values).fetchall()


@pytest.fixture(scope="session")
def as_of(newest: Sql) -> date:
    day: date = newest("SELECT max(date) FROM fct_all_time_issues_trend")[0][0]
    return day


@pytest.fixture
def clean_caches() -> Iterator[None]:
    """The app caches per process: a test that reads another lake clears the caches before and after."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def app(lake: Settings, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> App:
    """Open a page of the app, as in `app("commits", period="all time", project=["Delta Lake"])`."""
    monkeypatch.setenv("DATA_DIR", str(lake.data_dir))

    def open_page(path: str = PAGES[0].path, **query: str | Sequence[str]) -> AppTest:
        opened = AppTest.from_file(str(APP), default_timeout=120)
        opened.query_params.update(query)
        opened.run()
        return switch(opened, path)

    return open_page


def switch(page: AppTest, path: str) -> AppTest:
    """Go to another page in the same session; AppTest itself only switches to pages that are scripts."""
    page._page_hash = calc_hash("" if path == PAGES[0].path else path)
    return page.run()


def pictures(page: AppTest) -> dict[str, dict[str, pd.DataFrame]]:
    """The data sets of each chart of a page by the chart's title, in order."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for element in page.get("vega_lite_chart"):
        parts = {
            dataset.name: pa.ipc.open_stream(dataset.data.data).read_all().to_pandas() for dataset in element.proto.datasets
        }
        found[parts["about"]["title"].iloc[0]] = parts
    return found


def drawn(page: AppTest, title: str) -> pd.DataFrame:
    """The rows that a chart draws, with the plain names of their series."""
    parts = pictures(page)[title]
    rows = parts["rows"]
    if "tail" in parts:
        # Those in progress have a line of their own.
        running = parts["tail"][parts["tail"]["running"].astype(bool)].drop(columns="running")
        rows = pd.concat([rows, running], ignore_index=True).drop_duplicates(["at", "series"])
    # An entry of the legend is a place, the name, and its newest value.
    return rows.assign(series=[entry.split("\u241f")[1].split("  ")[0] for entry in rows["series"]])


def legend(page: AppTest, title: str) -> dict[str, str]:
    """Name -> newest value, as a chart's legend has them."""
    entries = (entry.split("\u241f")[1].partition("  ") for entry in pictures(page)[title]["legend"]["series"])
    return {name: value for name, _, value in entries}
