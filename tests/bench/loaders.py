"""Fetch beside two well-known loaders, on one repository of the same simulator: requests, quota, seconds, memory.

Run by `make bench`, and written to loaders.md beside it. The loaders get a virtual environment of their
own, made here from loaders.lock. They differ in what they do with what they read: fetch writes
compressed pages, tap-github prints records, dlt loads them into a DuckDB file.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psutil

from lakepulse.outcome import one_line
from lakepulse_simulator import Simulator, World
from lakepulse_simulator.tiny import PEOPLE, USERS
from lakepulse_simulator.world import DAY, epoch, user
from tests.end_to_end.harness import ROOT, project_list

HERE = Path(__file__).parent
REPORT = HERE / "loaders.md"
TODAY = date(2026, 11, 1)
REPO = "acme/lake"
TOKEN = "token-of-the-bench"
SIZES = {"commits": 4000, "issues": 3000, "pulls": 1500, "comments": 3000, "releases": 20}
LEAST = 1 + 40 + 45 + 15 + 30 + 1
"""The repository and its lists, by pages of 100; a pull request is among the issues too."""


@dataclass(frozen=True)
class Run:
    """What a run asked for and took; `rows` as the loader itself counts them."""

    requests: int
    quota: int
    seconds: float
    memory: float
    rows: int


class Failed(Exception):  # noqa: N818 - it is told in the table, not handled as an error
    """A loader could not be installed or did not end well; the text says why."""


def world() -> World:
    """One repository, whose history ends before today."""
    made = World(TODAY)
    made.now = epoch(TODAY) - 200 * DAY
    made.add_repo(REPO)
    for number in range(SIZES["commits"]):
        made.commit(REPO, PEOPLE[number % len(PEOPLE)])
    issues = [made.open_issue(REPO, f"Issue {n}", USERS[n % 4], body="It fails. " * 20) for n in range(SIZES["issues"])]
    for number in range(SIZES["pulls"]):
        made.open_pull(REPO, f"Change {number}", USERS[number % 4])
    for number in range(SIZES["comments"]):
        made.comment(REPO, issues[number].number, USERS[(number + 1) % 4], body="I see. " * 20)
    for number in range(SIZES["releases"]):
        made.release(REPO, f"v{number}", user("ada"))
    made.set_date(TODAY)
    return made


def environment(**more: str) -> dict[str, str]:
    """None of the developer's settings, and nothing that tells a loader's makers."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"GITHUB_TOKEN": TOKEN, "RUNTIME__DLTHUB_TELEMETRY": "false"} | more


def measured(simulator: Simulator, command: list[str], settings: Mapping[str, str], out: Path) -> tuple[int, int, float, float]:
    """Run a command, its stdout into `out`: requests, quota, seconds and peak memory in MB of all its processes.

    Raises:
        Failed: it did not end with exit code 0.
    """
    simulator.log.clear()
    peak, done = [0.0], threading.Event()
    began = time.monotonic()
    with out.open("wb") as stdout, out.with_suffix(".err").open("wb") as stderr:
        process = subprocess.Popen(command, env=dict(settings), stdout=stdout, stderr=stderr, cwd=ROOT)

        def watch() -> None:
            top = psutil.Process(process.pid)
            while not done.wait(0.05):
                try:
                    peak[0] = max(peak[0], sum(p.memory_info().rss for p in (top, *top.children(recursive=True))) / 1e6)
                except psutil.Error:
                    continue

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        code = process.wait()
        seconds = time.monotonic() - began
        done.set()
        thread.join()
    if code:
        said = out.with_suffix(".err").read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Failed(f"exit code {code}: {one_line(said[-1])[:200]}")
    return len(simulator.log), simulator.quota_spent(), seconds, peak[0]


def ours(simulator: Simulator, folder: Path, _python: Path | None) -> list[Run]:
    settings = environment(
        **simulator.environment(),
        PYTHONPATH=os.pathsep.join(str(ROOT / part) for part in ("", "images/common", "images/fetch", "images/simulator")),
        DATA_DIR=str(folder / "data"),
        PROJECTS=str(project_list(folder / "projects.yaml", [REPO], [])),
        AS_OF=TODAY.isoformat(),
        DEMO="1",
    )
    found = []
    for turn in ("first", "second"):
        told = measured(simulator, [sys.executable, "-m", "lakepulse_fetch"], settings | {"RUN_ID": turn}, folder / turn)
        (report,) = (folder / "data" / "runs" / turn).glob("*.json")
        found.append(Run(*told, json.loads(report.read_text(encoding="utf-8"))["rows"]))
    return found


def dlt(simulator: Simulator, folder: Path, python: Path | None) -> list[Run]:
    command = [str(python), str(HERE / "dlt_github.py"), simulator.github_url, REPO, str(folder)]
    settings = environment(HOME=str(folder), DLT_DATA_DIR=str(folder))
    found = []
    for turn in ("first", "second"):
        told = measured(simulator, command, settings, folder / turn)
        found.append(Run(*told, int((folder / turn).read_text().split()[-1])))
    return found


def tap_github(simulator: Simulator, folder: Path, python: Path | None) -> list[Run]:
    tap = [str((python or Path()).with_name("tap-github")), "--config", str(folder / "config.json")]
    # It checks a token at the public API whatever `api_url_base` says, so it runs without, under a token's limit.
    (folder / "config.json").write_text(json.dumps({"repositories": [REPO], "api_url_base": simulator.github_url}))
    settings = environment(HOME=str(folder))
    del settings["GITHUB_TOKEN"]
    simulator.rules.anonymous_limit = simulator.rules.token_limit
    simulator.quotas.clear()
    measured(simulator, [*tap, "--discover"], settings, folder / "discovered")
    catalog = json.loads((folder / "discovered").read_text())
    wanted = {"repositories", "commits", "issues", "issue_comments", "pull_requests", "releases"}
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in wanted
    (folder / "catalog.json").write_text(json.dumps(catalog))
    found: list[Run] = []
    state: list[str] = []
    for turn in ("first", "second"):
        told = measured(simulator, [*tap, "--catalog", str(folder / "catalog.json"), *state], settings, folder / turn)
        messages = [json.loads(line) for line in (folder / turn).read_text().splitlines()]
        last = [message["value"] for message in messages if message["type"] == "STATE"][-1]
        (folder / "state.json").write_text(json.dumps(last))
        state = ["--state", str(folder / "state.json")]
        found.append(Run(*told, sum(m["type"] == "RECORD" and m["stream"] != "repositories" for m in messages)))
    return found


def installed(folder: Path) -> Path:
    """The interpreter of a new virtual environment with the loaders in it.

    Raises:
        Failed: that did not work.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    python = folder / "venv" / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(HERE / "loaders.lock")]
    for command in ([uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], install):
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise Failed(f"could not be installed: {one_line(ended.stderr)[:200]}")
    return python


LOADERS: dict[str, Callable[[Simulator, Path, Path | None], list[Run]]] = {
    "lakepulse fetch": ours,
    "dlt 1.31.0, rest_api source": dlt,
    "tap-github 1.30.1": tap_github,
}


def table(found: Mapping[str, list[Run] | Failed], turn: int) -> list[str]:
    """One run of each loader, and in brackets how many times ours it is."""
    base = found["lakepulse fetch"]
    lines = ["| loader | requests | quota | seconds | peak memory, MB | rows |", "|---|---|---|---|---|---|"]
    for name, runs in found.items():
        if isinstance(runs, Failed):
            lines.append(f"| {name} | {runs} | | | | |")
            continue
        run, own = runs[turn], runs[turn] if isinstance(base, Failed) else base[turn]

        def cell(value: float, mine: float, digits: int = 0) -> str:
            ratio = f" ({value / mine:.2f})" if mine else ""
            return f"{value:,.{digits}f}{ratio}"

        cells = [cell(run.requests, own.requests), cell(run.quota, own.quota), cell(run.seconds, own.seconds, 1)]
        lines.append(f"| {name} | {' | '.join(cells)} | {cell(run.memory, own.memory)} | {run.rows:,} |")
    return lines


def main() -> None:
    load = os.getloadavg()[0]
    found: dict[str, list[Run] | Failed] = {}
    with Simulator(world()) as simulator, tempfile.TemporaryDirectory() as folder:
        try:
            python: Path | Failed = installed(Path(folder))
        except Failed as why:
            python = why
        for name, loader in LOADERS.items():
            place = Path(folder) / name.split()[0]
            place.mkdir()
            try:
                if isinstance(python, Failed) and loader is not ours:
                    raise python
                found[name] = loader(simulator, place, None if isinstance(python, Failed) else python)
            except Failed as why:
                found[name] = why
            print(name, found[name], file=sys.stderr, flush=True)
    sizes = ", ".join(f"{count:,} {what}" for what, count in SIZES.items())
    lines = [
        "# Fetch beside other loaders",
        "",
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}; load average "
            f"before: {load:.1f}. Written by `make bench`: one repository ({sizes}) of one simulator, whose "
            f"lists need {LEAST} requests. In brackets: times ours. Quota: requests that were not answered 304. Rows: what the "
            "loader says that it read; of dlt what its DuckDB file holds. tap-github runs without a token, since it would "
            "check one at the public API; the simulator gives it a token's quota."
        ),
        "",
        "## First run",
        "",
        *table(found, 0),
        "",
        "## Second run, nothing new",
        "",
        *table(found, 1),
        "",
    ]
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
