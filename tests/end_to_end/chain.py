"""The whole chain on a small world, step by step, with deaths: what sequences of runs are played on.

Each step is a process that `kill -9` can end. Fetch, build and publish are forked from a process that
has imported them already, which saves most of their time. A load that is to be killed is the program
with a JVM of its own; one that is not uses a warm session.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.process import BaseProcess
from pathlib import Path

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyspark.sql import SparkSession

from lakepulse.data_dir import open_data_dir
from lakepulse.publications import Publication, publications, read_table
from lakepulse.settings import Settings
from lakepulse_dbt.warehouse import open_catalog
from lakepulse_simulator import Simulator, World
from spark_apps.load import load
from tests.end_to_end.harness import ROOT, Gold, Installation, breaks, pointed_at
from tests.tally import Tally
from tests.truth.gold import Known, Project, counted, differences, gold

STEPS = ("fetch", "load", "build", "publish")

_PROGRAMS: dict[str, tuple[str, ...]] = {
    "fetch": ("lakepulse.cli", "fetch"),
    "build": ("lakepulse.cli", "build"),
    "publish": ("lakepulse.cli", "publish"),
}
_PATIENCE_SECONDS = 600

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(
    [
        *("lakepulse.cli", "lakepulse_fetch.step", "lakepulse_dbt.commands", "lakepulse_dbt.build"),
        *("lakepulse_dbt.publish", "dbt.cli.main", "dbt.adapters.duckdb", "pyiceberg.catalog.sql", "stamina", __name__),
    ]
)


def _run(program: str, arguments: tuple[str, ...], environment: Mapping[str, str], log: str) -> None:
    """A step's own process: as if started by its command line, but with its imports done."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    with Path(log).open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = [program, *arguments]
    if arguments[:1] == ("fetch",):
        import stamina  # loaded already where this runs

        # As often as ever, without waiting in between.
        stamina.set_testing(True, attempts=6)
    sys.exit(importlib.import_module(program).main())


@dataclass
class Run:
    """One run of the chain; `expected` is gold as its fetch saw the world, once that ended well."""

    run_id: str
    as_of: date
    sweep: bool
    expected: Gold | None = None


@dataclass
class Chain:
    """A folder, the world that it watches, and what each run of the chain has to publish.

    `extent` is how far the last step of a kind came, and so where a later one may be killed.
    """

    engine: SparkSession
    simulator: Simulator
    folder: Path
    tally: Tally
    bots: list[str]
    not_bots: list[str]
    installation: Installation = field(init=False)
    known: Known = field(init=False)
    runs: dict[str, Run] = field(default_factory=dict)
    extent: dict[str, int] = field(default_factory=lambda: {"fetch": 30, "load": 60, "build": 100, "publish": 120})

    def __post_init__(self) -> None:
        self.installation = pointed_at(self.simulator, self.folder)
        # Sweeps come when a run says so, never because a week has passed.
        self.installation.settings.update(SWEEP_DAYS="100000", MAX_WAIT_SECONDS="1")
        world = self.world
        self.known = Known(
            [Project("Watched", tuple(sorted(r.name for r in world.repos.values())), tuple(sorted(world.packages)))]
        )

    @property
    def world(self) -> World:
        return self.simulator.world

    @property
    def data(self) -> Path:
        return self.installation.data_dir

    # --- running

    def begin(self, as_of: date, *, sweep: bool) -> Run:
        run = Run(f"run-{len(self.runs) + 1}", as_of, sweep)
        self.runs[run.run_id] = run
        self.tally.runs += 1
        return run

    def go(self, run: Run, first: str = "fetch", kill: tuple[str, float] | None = None) -> str | None:
        """Run the steps from `first` on; returns the one that did not end well, if any.

        `kill`: a step, and at what part of the way through it (0 to 1) it dies.
        """
        for name in STEPS[STEPS.index(first) :]:
            at = kill[1] if kill and kill[0] == name else None
            code = self._step(run, name, at)
            if code == -signal.SIGKILL:
                self.tally.kills += 1
                return name
            if code:
                assert (name, code) == ("fetch", 75), self.log(run, name)
                return name
            if name == "fetch":
                self.known.look(self.world, run.as_of, sweep=run.sweep)
                run.expected = gold(self.known, run.as_of, self.bots, breaks(), self.not_bots)
        return None

    def log(self, run: Run, name: str) -> str:
        path = self.folder / f"{run.run_id}-{name}.log"
        return f"{name} of {run.run_id}: {path.read_text(errors='replace')[-4000:] if path.exists() else ''}"

    def _environment(self, run: Run) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR") if name in os.environ}
        path = os.pathsep.join(str(ROOT / part) for part in ("", "images/common", "images/fetch", "images/simulator", "dbt"))
        own = {"DATA_DIR": str(self.data), "RUN_ID": run.run_id, "AS_OF": run.as_of.isoformat(), "SWEEP": str(int(run.sweep))}
        return kept | {"PYTHONPATH": path} | self.installation.settings | own

    def _step(self, run: Run, name: str, kill_at: float | None) -> int:
        environment = self._environment(run)
        if name == "load" and kill_at is None:
            values = {key.lower(): value for key, value in environment.items()}
            settings = Settings(_env_file=None, **values)  # type: ignore[arg-type]  # as read from the environment
            open_data_dir(settings)
            load(self.engine, settings)
            return 0
        log = self.folder / f"{run.run_id}-{name}.log"
        started = self.progress(name)
        if name == "load":
            with log.open("ab") as file:
                command = [sys.executable, "-m", "spark_apps.load"]
                jvm = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
            return self._watched(name, started, kill_at, jvm.poll, lambda: os.killpg(jvm.pid, signal.SIGKILL))
        program, *arguments = _PROGRAMS[name]
        process: BaseProcess = _FORKED.Process(target=_run, args=(program, tuple(arguments), environment, str(log)))
        process.start()
        try:
            return self._watched(name, started, kill_at, lambda: process.exitcode, process.kill)
        finally:
            process.join()
            process.close()

    def _watched(
        self, name: str, started: int, kill_at: float | None, code: Callable[[], int | None], kill: Callable[[], None]
    ) -> int:
        """Wait for a process to end, or end it once it has come so far as one of its kind has come before."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        until = None if kill_at is None else started + 1 + int(kill_at * self.extent[name])
        while (found := code()) is None:
            if (until is not None and self.progress(name) >= until) or time.monotonic() > deadline:
                kill()
                until = None
            time.sleep(0.002)
        assert time.monotonic() <= deadline, f"{name} did not end in {_PATIENCE_SECONDS} s"
        if found == 0:
            self.extent[name] = max(1, self.progress(name) - started)
        return found

    def progress(self, name: str) -> int:
        """How far steps of a kind have come, in units of their own: requests, files, time."""
        if name == "fetch":
            return len(self.simulator.log)
        if name == "build":
            return int(20 * time.monotonic())
        return sum(len(files) for _, _, files in os.walk(self.data / "warehouse" / ("raw" if name == "load" else "gold")))

    # --- looking

    def catalog(self) -> Catalog:
        return open_catalog(Settings(_env_file=None, data_dir=self.data, demo=True))

    def publications(self) -> list[Publication]:
        """The newest first; none before the first run."""
        if not self.data.exists():
            return []
        try:
            return publications(self.catalog())
        except NoSuchTableError:
            return []

    def check(self, run_id: str | None = None) -> None:
        """What readers see, or else the publication of a run, is what that run's fetch saw, row by row."""
        found = self.publications()
        if run_id is None and not found:
            return
        shown = next(publication for publication in found if run_id in {None, publication.run_id})
        expected = self.runs[shown.run_id].expected
        assert expected is not None
        catalog = self.catalog()
        actual: Gold = {table: read_table(catalog, shown, table).to_pylist() for table in expected}
        self.tally.compared(*counted(expected, actual))
        assert differences(expected, actual) == [], f"{shown.run_id} as of {shown.as_of}"
