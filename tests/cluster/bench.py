"""`make bench-cluster`: what the pipeline costs on a kind cluster, written to results.md beside it.

A cluster is made from nothing (with the images built already), runs `daily` twice on the demo's
world in the simulator, loads COMMITS generated commits with 1, 2 and 4 executors, and is deleted
again. The dashboard on Trino is measured as `make bench-dashboard` measures it on one machine, into
the same file. Figures of one machine on one day.

    python -m tests.cluster.bench loads     one part alone: pipeline, dashboard (needs pipeline) or loads
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pyiceberg.catalog import load_catalog

from k8s.cluster import NAMESPACE
from lakepulse.catalog import pyiceberg_properties
from lakepulse.names import CATALOG, LANDINGS, RAW
from lakepulse.settings import Settings
from tests.bench import commits
from tests.cluster.conftest import DAY
from tests.cluster.harness import Installation, why_not
from tests.dashboard import sample

REPORT = Path(__file__).with_name("results.md")
_EVERY_SECONDS = 3
_AT_REST_SECONDS = 60
_MB = 1e6
_STEPS = ("fetch", "load", "build", "publish", "record")
_EXECUTORS = (1, 2, 4)
_PARTS = ("pipeline", "dashboard", "loads")
_HEAD = "# The pipeline on a kind cluster\n\nWritten by `make bench-cluster`.\n"
_LAKE = "s3://lakepulse/bench"
"""Where the generated landings go, apart from those of earlier runs."""


@dataclass
class Pod:
    """One pod of a run: when it was created, when its main container started and ended."""

    step: str
    asked: datetime
    began: datetime | None = None
    ended: datetime | None = None

    def startup(self) -> float:
        """Seconds from the pod's creation to the start of its program."""
        return (self.began - self.asked).total_seconds() if self.began else 0.0

    def work(self) -> float:
        """Seconds that its program ran."""
        return (self.ended - self.began).total_seconds() if self.began and self.ended else 0.0


@dataclass
class Watch:
    """Samples the pods and their memory while something runs. Memory is the kubelet's working set."""

    installed: Installation
    pods: dict[str, Pod] = field(default_factory=dict)
    memory: list[dict[str, float]] = field(default_factory=list)
    """Per sample: pod -> MB."""
    _began: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._end.wait(_EVERY_SECONDS):
            for document in self.installed.get("pods", "--selector", "workflows.argoproj.io/workflow"):
                self._note(document)
            self.memory.append(self._sample())

    def _note(self, document: dict[str, Any]) -> None:
        meta = document["metadata"]
        if _time(meta["creationTimestamp"]) < self._began:
            return  # of an earlier run
        step = meta["labels"].get("app.kubernetes.io/component", "")
        pod = self.pods.setdefault(meta["name"], Pod(step, _time(meta["creationTimestamp"])))
        for container in document["status"].get("containerStatuses", []):
            state = container["state"].get("terminated") or container["state"].get("running")
            if container["name"] == "main" and state:
                pod.began = _time(state["startedAt"])
                pod.ended = _time(state["finishedAt"]) if "finishedAt" in state else None

    def _sample(self) -> dict[str, float]:
        path = f"/api/v1/nodes/{self.installed.cluster.node}/proxy/stats/summary"
        summary = json.loads(self.installed.kubectl("get", "--raw", path))
        return {
            pod["podRef"]["name"]: pod["memory"]["workingSetBytes"] / _MB
            for pod in summary["pods"]
            if pod["podRef"]["namespace"] == NAMESPACE and "workingSetBytes" in pod.get("memory", {})
        }

    def largest(self, part: str) -> float:
        """The peak memory, in MB, of one pod with `part` in its name."""
        return max((size for sample in self.memory for pod, size in sample.items() if part in pod), default=0.0)

    def peak(self) -> tuple[float, list[tuple[str, float]]]:
        """The largest sum of all pods in MB, and the three largest pods in that sample."""
        largest = max(self.memory, key=lambda sample: sum(sample.values()))
        return sum(largest.values()), sorted(largest.items(), key=lambda item: -item[1])[:3]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main() -> int:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.bench", description=__doc__.split("\n")[0])
    parser.add_argument("part", nargs="*", help=f"of {', '.join(_PARTS)}; default all")
    parts = parser.parse_args().part or list(_PARTS)
    if unknown := sorted(set(parts) - set(_PARTS)):
        parser.error(f"unknown {', '.join(unknown)}; known: {', '.join(_PARTS)}")
    if reason := why_not():
        print(f"error: no cluster can be made here: {reason}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        installed = Installation(Path(folder), "lakepulse-bench")
        built = installed.lakepulse("cluster", "images")
        if built.returncode:
            print(built.stderr, file=sys.stderr)
            return built.returncode
        try:
            when, began = _when(), time.monotonic()
            installed.up()
            if "pipeline" in parts:
                _write("Daily runs", [when, "", *_measure(installed, began)])
            if "dashboard" in parts:
                _dashboard(installed)
            # These take longest.
            if "loads" in parts:
                lines: list[str] = []
                for line in _loads(installed):
                    lines.append(line)
                    _write("Loads by executors", lines)
        finally:
            installed.down(keep_data=False)
    print(REPORT.read_text(encoding="utf-8"))
    return 0


def _write(title: str, lines: list[str]) -> None:
    """Put a section into the report, in place of an older one."""
    old = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    _, *found = re.split(r"^## (.+)\n", old, flags=re.MULTILINE)
    sections = dict(zip(found[::2], found[1::2], strict=True)) | {title: "\n".join(lines)}
    text = "\n".join(f"## {name}\n\n{body.strip()}\n" for name, body in sections.items())
    REPORT.write_text(f"{_HEAD}\n{text}", encoding="utf-8")


def _when() -> str:
    """The line that says when and where a measurement begins."""
    return f"Measured {datetime.now(UTC).date()}, {os.cpu_count()} cores; load average before: {os.getloadavg()[0]:.1f}."


def _measure(installed: Installation, began: float) -> list[str]:
    """The report on the pipeline itself, on a cluster that began to be made at `began`."""
    up = time.monotonic() - began
    installed.serve("demo", DAY)
    with Watch(installed) as resting:
        time.sleep(_AT_REST_SECONDS)
    at_rest = statistics.median(sum(sample.values()) for sample in resting.memory)
    runs = []
    for _ in range(2):
        started = time.monotonic()
        with Watch(installed) as watch:
            done = installed.submit("daily", as_of=DAY.isoformat())
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{installed.trouble()}"
        runs.append((time.monotonic() - started, watch))
        if len(runs) == 1:
            with installed.forwarded("dashboard", 8501) as port:
                assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 200
            to_dashboard = time.monotonic() - began - _AT_REST_SECONDS
    lines = [
        f"- From no cluster to all services ready, images built: {up:.0f} s.",
        f"- From no cluster to a dashboard with data: {to_dashboard:.0f} s.",
        f"- Memory of all our pods at rest: {at_rest:.0f} MB.",
        "",
        "| `daily` on the demo's world | seconds | " + " | ".join(_STEPS) + " |",
        "|---|---|" + "---|" * len(_STEPS),
    ]
    for title, (seconds, watch) in zip(("first", "again, nothing new"), runs, strict=True):
        cells = []
        for step in _STEPS:
            pod = max((pod for pod in watch.pods.values() if pod.step == step), key=Pod.work)
            cells.append(f"{pod.work():.0f} + {pod.startup():.0f}")
        lines.append(f"| {title} | {seconds:.0f} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "A step's seconds are those of its program + those of its pod's start; of several pods, those of the longest.",
        "",
    ]
    for title, (_, watch) in zip(("first", "second"), runs, strict=True):
        total, largest = watch.peak()
        parts = ", ".join(f"{name} {size:.0f}" for name, size in largest)
        lines.append(f"- Peak memory in the {title} run: {total:.0f} MB, of which {parts}.")
    return lines


def _dashboard(installed: Installation) -> None:
    """The dashboard's speed on Trino, with the demo's gold and with a large publication."""
    for name in ("demo", "large"):
        if name == "large":
            with installed.outside() as outside:
                sample.publish_large(_settings(outside))
        # So that the load of making the data does not count.
        time.sleep(_AT_REST_SECONDS)
        with installed.forwarded("trino", 8080) as port, tempfile.TemporaryDirectory() as unused:
            settings = {"ENGINE": "trino", "TRINO_PORT": str(port), "TRINO_USER": "dashboard"}
            command = [sys.executable, "-m", "tests.dashboard.bench", f"{name}, cluster", "--data", unused]
            subprocess.run(command, env=installed.environment | settings, check=True)


def _loads(installed: Installation) -> Iterator[str]:
    """Lines of a table: loads of the same generated commits into empty tables, by number of executors."""
    with installed.outside() as outside:
        commits.generate(_settings(outside), commits.COMMITS, commits.REPOS)
    installed.patch_settings(LAKE_URL=_LAKE)
    yield f"{_when()} A load into an empty table, checked row by row after it."
    yield ""
    yield f"| load of {commits.COMMITS:,} generated commits | seconds | driver, MB | largest executor, MB |"
    yield "|---|---|---|---|"
    for executors in _EXECUTORS:
        with installed.outside() as outside:
            _forget(_settings(outside))
        with Watch(installed) as watch:
            _load(installed, executors)
        with installed.outside() as outside:
            commits.check(_settings(outside), commits.COMMITS, commits.REPOS)
        seconds = max(pod.work() for pod in watch.pods.values() if pod.step == "load")
        cells = (f"{executors} executors of 1 core", seconds, watch.largest("-load-"), watch.largest("-exec-"))
        yield "| {} | {:.0f} | {:.0f} | {:.0f} |".format(*cells)


def _settings(outside: dict[str, str]) -> Settings:
    given = {name.lower(): value for name, value in outside.items()}
    return Settings(_env_file=None, **given | {"lake_url": _LAKE, "demo": True})  # type: ignore[arg-type]


def _forget(settings: Settings) -> None:
    """Drop what the previous load wrote, files too."""
    catalog = load_catalog(CATALOG, **pyiceberg_properties(settings))
    for name in (f"{RAW}.commits", LANDINGS):
        if catalog.table_exists(name):
            catalog.purge_table(name)


def _load(installed: Installation, executors: int) -> None:
    """The load step of the pipeline `commits` alone, in a workflow of its own."""
    name = installed.start("commits", entrypoint="load", executors=str(executors))
    assert installed.end(name) == "Succeeded", installed.trouble()


if __name__ == "__main__":
    sys.exit(main())
