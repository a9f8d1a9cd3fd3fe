"""One simulated world and one data folder for all tests that only look at what a run left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from lakepulse_simulator import Simulator, tiny_world
from tests.end_to_end.harness import Installation, pointed_at

FIRST_DAY = date(2026, 3, 1)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(tiny_world(7, FIRST_DAY)) as running:
        yield running


@pytest.fixture
def installation(simulator: Simulator, tmp_path: Path) -> Installation:
    """A folder of its own, pointed at the simulator, with the tiny world's own project list."""
    return pointed_at(simulator, tmp_path)
