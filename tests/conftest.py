"""What tests of every stage share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.tally import Tally

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOOPS = ("sequences", "kill", "fifty_repos", "tests/truth/")
"""Parts of the ids of tests that repeat the same lines thousands of times; measuring their coverage would double their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(part in item.nodeid for part in _LOOPS):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The one Spark session of a test process: a second one would be the same, and end with the first."""
    from lakepulse.settings import Settings
    from spark_apps.session import open_session  # slow to import, and most stages do without

    os.environ.setdefault("SPARK_LOCAL_DIRS", str(tmp_path_factory.mktemp("spark")))
    with open_session(Settings(data_dir=tmp_path_factory.mktemp("unused"))) as session:
        yield session


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts of one test of random sequences; a test marked `soak("part")` writes them down."""
    mark = request.node.get_closest_marker("soak")
    counts = Tally(mark.args[0], request.config.getoption("--hypothesis-seed")) if mark else Tally()
    yield counts
    print(counts)
    if mark is not None:
        counts.write()
