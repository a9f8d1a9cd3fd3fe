"""What tests of every stage share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tally import Tally

_LOOPS = ("sequences", "kill", "fifty_repos", "tests/truth/")
"""Parts of the ids of tests that repeat the same lines thousands of times; measuring their coverage would double their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(part in item.nodeid for part in _LOOPS):
            item.add_marker("no_cover")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts of one test of random sequences; a test marked `soak("part")` writes them down."""
    mark = request.node.get_closest_marker("soak")
    counts = Tally(mark.args[0], request.config.getoption("--hypothesis-seed")) if mark else Tally()
    yield counts
    print(counts)
    if mark is not None:
        counts.write()
