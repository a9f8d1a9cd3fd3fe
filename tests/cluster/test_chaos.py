"""What a daily run loads while something it needs is taken away: run by `make chaos`, not by `make e2e`.

Before each run the simulated world moves on by a day. The run ends well by itself, or it fails and the
next one repairs it; then gold on Trino equals what plain loops over the world give, row by row.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from k8s.cluster import NAMESPACE
from lakepulse.projects import load_projects
from lakepulse.settings import Settings
from lakepulse_simulator import demo_world
from lakepulse_simulator.demo import DemoWorld
from tests.cluster.conftest import DAY, Daily
from tests.cluster.harness import Installation
from tests.end_to_end.harness import breaks, seed
from tests.truth.gold import Known, Project, Row, counted, differences, gold

pytestmark = pytest.mark.chaos

_PATIENCE_SECONDS = 600
_AT_ONCE = ("--grace-period=0", "--force", "--wait=false")


@dataclass
class Upstream:
    """The demo's world in the cluster and here, a day later with every run."""

    installed: Installation
    world: DemoWorld = field(default_factory=lambda: demo_world(DAY))
    known: Known = field(init=False)

    def __post_init__(self) -> None:
        listed = load_projects(Settings.model_fields["projects"].default)
        self.known = Known([Project(project.name, project.repos, project.packages) for project in listed])
        self.known.look(self.world, DAY)

    def next_day(self) -> date:
        """Move both worlds on and return their date."""
        day = self.world.date + timedelta(days=1)
        self.world.set_date(day)
        self.installed.serve("demo", day)
        # Every run sweeps, so that it does not matter which of them ended well.
        self.known.look(self.world, day, sweep=True)
        return day

    def expected(self) -> dict[str, list[Row]]:
        bots, not_bots = ([row["person"] for row in seed(name)] for name in ("bots", "not_bots"))
        return gold(self.known, self.world.date, bots, breaks(), not_bots)


@pytest.fixture(scope="module")
def upstream(installed: Installation, daily: Daily) -> Upstream:
    assert daily.name
    return Upstream(installed)


@dataclass
class Run:
    """A workflow that is under way."""

    installed: Installation
    name: str

    def pods(self, step: str) -> list[dict[str, Any]]:
        """The step's pods whose program has begun and not ended."""
        selector = f"workflows.argoproj.io/workflow={self.name},app.kubernetes.io/component={step}"
        found = self.installed.get("pods", "--selector", selector)
        return [pod for pod in found if any("running" in status["state"] for status in _main(pod))]

    def executors(self) -> list[dict[str, Any]]:
        found = self.installed.get("pods", "--selector", "spark-role=executor")
        return [pod for pod in found if pod["status"]["phase"] == "Running"]

    def until(self, found: Callable[[], list[dict[str, Any]]]) -> str:
        """The name of the first pod that is found."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (pods := found()):
            assert time.monotonic() < deadline, "the moment to disturb the run did not come"
            assert self.phase() not in {"Succeeded", "Failed", "Error"}, f"{self.name} ended before it was disturbed"
            time.sleep(0.5)
        name: str = pods[0]["metadata"]["name"]
        return name

    def phase(self) -> str | None:
        """None while the API does not answer."""
        said = self.installed.kubectl("get", "workflow", self.name, "--output", "json", check=False)
        phase: str | None = json.loads(said).get("status", {}).get("phase", "Pending") if said else None
        return phase

    def end(self, seconds: float = 2400) -> str:
        deadline = time.monotonic() + seconds
        while (phase := self.phase()) not in {"Succeeded", "Failed", "Error"}:
            assert time.monotonic() < deadline, f"{self.name} has not ended: {phase}; {self.installed.kubectl('get', 'pods')}"
            time.sleep(3)
        return phase


def _main(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [status for status in pod["status"].get("containerStatuses", []) if status["name"] == "main"]


# --- what is taken away, and when


def fetch_pod(run: Run) -> None:
    delete(run, run.until(lambda: run.pods("fetch")))


def driver(run: Run) -> None:
    run.until(run.executors)
    delete(run, run.until(lambda: run.pods("load")))


def executor(run: Run) -> None:
    delete(run, run.until(run.executors))


def storage(run: Run) -> None:
    run.until(run.executors)
    delete_service(run, "minio")


def catalog(run: Run) -> None:
    run.until(run.executors)
    delete_service(run, "postgres")


def query_engine(run: Run) -> None:
    run.until(lambda: run.pods("build"))
    # dbt has parsed its project by then, and has queries under way.
    time.sleep(25)
    delete_service(run, "trino")


def controller(run: Run) -> None:
    run.until(run.executors)
    delete_service(run, "workflow-controller")


def node(run: Run) -> None:
    run.until(run.executors)
    restarted = datetime.now(UTC).replace(microsecond=0)
    subprocess.run(["docker", "restart", run.installed.cluster.node], check=True, capture_output=True)  # noqa: S607
    run.installed.ready(restarted)


def delete(run: Run, pod: str) -> None:
    run.installed.kubectl("delete", "pod", pod, *_AT_ONCE)


def delete_service(run: Run, name: str) -> None:
    """Delete all pods of a workload, which makes new ones."""
    found = [pod["metadata"]["name"] for pod in run.installed.get("pods") if pod["metadata"]["name"].startswith(f"{name}-")]
    assert found, f"no pod of {name}"
    run.installed.kubectl("delete", "pod", *found, *_AT_ONCE)


def submitted(installed: Installation, day: date) -> Run:
    command = ["argo", "submit", "--context", installed.cluster.context, "--namespace", NAMESPACE]
    command += ["--from", "workflowtemplate/daily", "--output", "name"]
    for parameter in (f"as_of={day}", "sweep=1", "executors=2"):
        command += ["--parameter", parameter]
    done = subprocess.run(command, env=installed.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Run(installed, done.stdout.strip())


def shown(installed: Installation, expected: dict[str, list[Row]]) -> tuple[date, dict[str, list[Row]]]:
    """The newest publication's date, and its rows of the tables that are expected."""
    newest = "select as_of, snapshots from gold.publications order by as_of desc, published_at desc limit 1"
    [[(as_of, snapshots)]] = installed.sql(newest)
    columns = {table: sorted(rows[0]) for table, rows in expected.items() if rows}
    queries = [
        "select {} from gold.{} for version as of {}".format(  # noqa: S608 - names of our own
            ", ".join(f'"{column}"' for column in names), table, snapshots[table]
        )
        for table, names in columns.items()
    ]
    found = installed.sql(*queries)
    rows = {
        table: [dict(zip(names, row, strict=True)) for row in listed]
        for (table, names), listed in zip(columns.items(), found, strict=True)
    }
    return as_of, rows


DISTURBANCES = (fetch_pod, driver, executor, storage, catalog, query_engine, controller, node)


@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda disturb: disturb.__name__)
def test_a_run_that_loses_what_it_needs_ends_well_or_is_repaired(
    upstream: Upstream, disturb: Callable[[Run], None], record_property: Callable[[str, object], None]
) -> None:
    installed = upstream.installed
    day = upstream.next_day()
    run = submitted(installed, day)
    disturb(run)
    phase = run.end()
    record_property("ended", phase)
    if phase != "Succeeded":
        again = submitted(installed, day)
        assert again.end() == "Succeeded", installed.trouble()
    expected = upstream.expected()
    as_of, rows = shown(installed, expected)
    assert as_of == day
    held = {table: found for table, found in expected.items() if found}
    assert differences(held, rows) == []
    due, lost, surplus = counted(held, rows)
    assert due > 10_000, "a comparison of nothing proves nothing"
    assert (lost, surplus) == (0, 0)
    print(f"{disturb.__name__}: {phase}{'' if phase == 'Succeeded' else ', repaired by the next run'}; {due:,} rows")
