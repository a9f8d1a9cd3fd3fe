"""No test of fetch reads the developer's settings, or waits between retries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina

from lakepulse.settings import Settings
from lakepulse_simulator import World
from tests.fetch.lab import TOKEN, Lab


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    with stamina.set_testing(True, attempts=6):
        yield


@pytest.fixture
def lab() -> Iterator[Callable[..., Lab]]:
    """Makes labs, and closes them after the test."""
    made: list[Lab] = []

    def make(world: World, page_size: int = 100, token: str | None = TOKEN) -> Lab:
        made.append(Lab(world, page_size, token))
        return made[-1]

    yield make
    for each in made:
        each.close()
