"""One cluster for all tests, made from nothing, and the same input run on this machine.

`E2E_FOLDER=<folder>` keeps cluster and data there, so that the next run of the tests starts from
them; without it both are removed at the end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lakepulse_simulator import Simulator, demo_world
from tests.cluster.harness import TOKEN, Installation, why_not
from tests.end_to_end.harness import Gold
from tests.end_to_end.harness import Installation as OneMachine

DAY = date(2026, 11, 10)
"""The pipeline's `as_of`, and the end of both worlds. `make chaos` continues from it, a day with each run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@dataclass(frozen=True)
class Daily:
    """A daily run that succeeded: its workflow, and every executor pod seen during it."""

    name: str
    executors: dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A cluster with every service, the simulator in it, and the schedules suspended."""
    if reason := why_not():
        pytest.skip(f"no cluster: {reason}")
    kept = os.environ.get("E2E_FOLDER")
    folder = Path(kept).absolute() if kept else tmp_path_factory.mktemp("cluster")
    folder.mkdir(parents=True, exist_ok=True)
    installation = Installation(folder)
    if not kept:
        # The cluster of a killed test run; its data is in another folder.
        installation.down(keep_data=True)
    try:
        said = installation.up()
        assert "The cluster is ready" in said
        installation.serve("demo", DAY)
        yield installation
    finally:
        if not kept:
            installation.down(keep_data=False)


class _Watch(threading.Thread):
    """Records executor pods as the API shows them, until `end` is set."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(daemon=True)
        self.installation = installation
        self.seen: dict[str, dict[str, Any]] = {}
        self.end = threading.Event()

    def run(self) -> None:
        while not self.end.wait(2):
            for pod in self.installation.get("pods", "--selector", "spark-role=executor"):
                name = pod["metadata"]["name"]
                if pod["status"]["phase"] == "Running" or name not in self.seen:
                    self.seen[name] = pod


@pytest.fixture(scope="session")
def daily(installed: Installation) -> Daily:
    """The daily pipeline on the whole demo world."""
    watch = _Watch(installed)
    watch.start()
    done = installed.submit("daily", as_of=DAY.isoformat(), executors="2")
    watch.end.set()
    watch.join(30)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}\n{installed.trouble()}"
    name = done.stdout.split("submitted ", 1)[1].split()[0]
    return Daily(name, watch.seen)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Gold:
    """Gold of the same input, made by the same programs on this machine."""
    folder = tmp_path_factory.mktemp("embedded")
    with Simulator(demo_world(DAY)) as simulator:
        settings = simulator.environment() | {"GITHUB_TOKEN": TOKEN, "DEMO": "1"}
        machine = OneMachine(folder / "data", settings)
        machine.run(DAY)
    return machine.gold(folder / "export")
