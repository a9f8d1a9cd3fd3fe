"""What tests of every stage share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tally import Tally


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts of one test of random sequences; a test marked `soak("part")` writes them down."""
    counts = Tally()
    yield counts
    print(counts)
    mark = request.node.get_closest_marker("soak")
    if mark is not None:
        counts.write(mark.args[0], request.config.getoption("--hypothesis-seed"))
