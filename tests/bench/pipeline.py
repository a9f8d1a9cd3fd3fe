"""`make bench`: time, requests and memory of the pipeline on one machine, written to results.md beside it.

Figures of one machine on one day; the ratios are what another machine should show too. The simulator
runs in this process, so a step's memory is the step's own.
"""

from __future__ import annotations

import math
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil

from lakepulse_simulator import Simulator, World, demo_world
from lakepulse_simulator.__main__ import DEMO_PROJECTS
from lakepulse_simulator.server import Rules
from tests.end_to_end.harness import Installation

PAGE = 100
REPORT = Path(__file__).with_name("results.md")
STEPS = ("fetch", "load", "build", "publish", "record")
DAY = (datetime.now(UTC) - timedelta(days=2)).date()


@dataclass
class Measured:
    """A run: seconds altogether and per step, what it asked for, and each step's peak memory in MB."""

    seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    quota: int = 0
    memory: dict[str, float] = field(default_factory=dict)


@contextmanager
def watched_memory(peaks: dict[str, float]) -> Iterator[None]:
    """Note the largest resident memory, in MB, of each step's processes together."""
    done = threading.Event()

    def watch() -> None:
        me = psutil.Process()
        while not done.wait(0.1):
            sizes = dict.fromkeys(STEPS, 0.0)
            for process in me.children(recursive=True):
                try:
                    words = " ".join(process.cmdline())
                    size = process.memory_info().rss / 1e6
                    parent = process.parent()
                    # A child that has not become its program yet is its parent a second time: the memory is the same.
                    if parent and parent.pid != me.pid and parent.cmdline() == process.cmdline():
                        continue
                except psutil.Error:
                    continue
                for step, programs in PROGRAMS.items():
                    if any(program in words for program in programs):
                        sizes[step] += size
            for step, size in sizes.items():
                peaks[step] = max(peaks.get(step, 0.0), size)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


PROGRAMS = {step: (f"lakepulse {step}",) for step in STEPS} | {"load": ("lakepulse load", "org.apache.spark")}
"""Words in the command lines of a step's processes."""


def measured_run(installation: Installation, simulator: Simulator) -> Measured:
    """Run `daily` once as of `DAY` of the simulator's world."""
    found = Measured()
    requests, quota = len(simulator.log), simulator.quota_spent()
    began = time.monotonic()
    with watched_memory(found.memory):
        printed = installation.run(simulator.world.date)
    found.seconds = time.monotonic() - began
    found.requests, found.quota = len(simulator.log) - requests, simulator.quota_spent() - quota
    for line in printed.splitlines():
        words = line.split()
        if words and words[0] in STEPS:
            found.steps[words[0]] = float(words[-2])
    return found


def least_requests(world: World) -> int:
    """The fewest requests that can list everything once: a page for each 100 items, one at least.

    Of a package: one for each list of pypistats and PyPI, and one of ClickHouse for each full result.
    """
    rows = [len(package.served_versions(date.min, world.date)) for package in world.packages.values()]
    total = sum(4 + max(1, math.ceil(count / Rules.result_rows)) for count in rows)
    for repo in world.repos.values():
        pulls = sum(issue.is_pull for issue in repo.issues.values())
        lists = (len(repo.log(repo.head)), len(repo.issues), len(repo.comments), pulls, len(repo.releases))
        total += 1 + sum(max(1, math.ceil(rows / PAGE)) for rows in lists)
    return total


def fetch_memory(scale: float) -> tuple[int, float]:
    """Rows in the world and the peak memory in MB of a fetch alone, on a world `scale` times the demo's."""
    with Simulator(demo_world(DAY, scale=scale)) as simulator, tempfile.TemporaryDirectory() as folder:
        settings = simulator.environment() | {"DEMO": "1", "GITHUB_TOKEN": "token-of-the-bench", "AS_OF": DAY.isoformat()}
        peaks: dict[str, float] = {}
        with watched_memory(peaks):
            ended = Installation(Path(folder) / "data", settings).command("lakepulse", "fetch")
        assert ended.returncode == 0, ended.stderr
        return sum(entry.rows for entry in simulator.log), peaks["fetch"]


def main() -> None:
    with Simulator(demo_world(DAY)) as simulator, tempfile.TemporaryDirectory() as folder:
        own = {"DEMO": "1", "GITHUB_TOKEN": "token-of-the-bench", "PROJECTS": str(DEMO_PROJECTS)}
        settings = simulator.environment() | own
        installation = Installation(Path(folder) / "data", settings)
        first = measured_run(installation, simulator)
        least = least_requests(simulator.world)
        again = measured_run(installation, simulator)
        simulator.world.set_date(DAY + timedelta(days=1))
        later = measured_run(installation, simulator)
    small, large = fetch_memory(1), fetch_memory(6)
    lines = [
        "# The pipeline on one machine",
        "",
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
            f"Python {platform.python_version()}; load average before: {os.getloadavg()[0]:.1f}. Written by `make bench`."
        ),
        "",
        "| run of `daily` on the demo's world | seconds | fetch | load | build | publish | record | requests | quota |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, run in (("first", first), ("again, nothing new", again), ("a day later", later)):
        steps = " | ".join(f"{run.steps[step]:.1f}" for step in STEPS)
        lines.append(f"| {name} | {run.seconds:.1f} | {steps} | {run.requests} | {run.quota} |")
    lines += [
        "",
        f"- Second run against the first: {again.seconds / first.seconds:.2f} of its time.",
        f"- Requests of the first run against the least possible ({least}): {first.requests / least:.3f}.",
        f"- Peak memory of a step in the first run, MB: {', '.join(f'{s} {first.memory.get(s, 0):.0f}' for s in STEPS)}.",
        (
            f"- Peak memory of fetch alone: {small[1]:.0f} MB for {small[0]:,} rows, {large[1]:.0f} MB for {large[0]:,} rows: "
            f"{large[1] / small[1]:.2f} times the memory for {large[0] / small[0]:.1f} times the rows."
        ),
        "",
    ]
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
