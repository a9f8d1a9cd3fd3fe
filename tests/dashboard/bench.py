"""Speed of the dashboard in a real browser: `make bench-dashboard` writes results.md beside this file.

    python -m tests.dashboard.bench demo --data FOLDER     what `make demo` or `make run` built
    python -m tests.dashboard.bench large                  gold of 100 projects, generated

A first view is a new session on a warm server, with cached files in the browser: from the request until the page is
complete. A change is a choice in a filter: from the key press until the page made for it is complete. Both include
painting. Memory is the server's, with many sessions open.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dashboard.filters import PERIODS
from dashboard.views import PAGES
from tests.dashboard import browser, sample
from tests.dashboard.browser import Browser

FIRST_VIEW_SECONDS = 1.0
CHANGE_SECONDS = 0.4
MEMORY_MB = 500
_RUN_SECONDS = 10
FIGURES = Path(__file__).with_name("results.json")
REPORT = Path(__file__).with_name("results.md")

# Notices that the page ran again after the choice: otherwise the old page would count as the answer.
_WATCH = """
window.ranAgain = false;
const app = document.querySelector('[data-testid=stApp]');
new MutationObserver((_, observer) => {
    if (app.dataset.testScriptState === 'running') { window.ranAgain = true; observer.disconnect(); }
}).observe(app, {attributes: true});
"""
_PAINTED = "requestAnimationFrame(() => requestAnimationFrame(arguments[arguments.length - 1]))"


def percentile(values: Sequence[float], p: float) -> float:
    """Nearest rank."""
    return sorted(values)[math.ceil(p * len(values)) - 1]


def until_still(opened: Browser) -> None:
    """Wait, polling often, until the page is complete and painted."""
    opened.until(opened.is_whole)
    opened.driver.execute_async_script(_PAINTED)


def first_views(opened: Browser, address: str) -> list[float]:
    """Seconds from requesting each page until it is painted, each in its own session."""
    seconds = []
    for index, entry in enumerate(PAGES):
        begun = time.perf_counter()
        opened.driver.get(f"{address}/{entry.path if index else ''}")
        until_still(opened)
        seconds.append(time.perf_counter() - begun)
    return seconds


def changes(opened: Browser, address: str, number: int, seed: int) -> tuple[list[float], int]:
    """Seconds from each filter change until its page is painted, and the number of changes left out.

    Every fifth change adds a project, the others change the period. A change is left out if its run was not seen; more
    than one in twenty is an error.
    """
    draw = random.Random(seed)
    seconds: list[float] = []
    unseen = 0
    while len(seconds) < number:
        index, entry = draw.choice(list(enumerate(PAGES)))
        opened.driver.get(f"{address}/{entry.path if index else ''}")
        until_still(opened)
        for turn in range(min(10, number - len(seconds))):
            choose = _project(opened) if turn % 5 == 4 else _period(opened, draw)
            opened.driver.execute_script(_WATCH)
            begun = time.perf_counter()
            choose()
            try:
                opened.until(lambda: bool(opened.driver.execute_script("return window.ranAgain")), _RUN_SECONDS)
            except TimeoutException:
                # If the browser shows the start and end of a run at once, there is nothing to time.
                unseen += 1
                if unseen > number // 20:
                    raise
                continue
            until_still(opened)
            seconds.append(time.perf_counter() - begun)
    return seconds, unseen


def _period(opened: Browser, draw: random.Random) -> Callable[[], None]:
    """Type another period; the returned call presses Enter."""
    field = opened.driver.find_element(By.CSS_SELECTOR, ".st-key-period input")
    # Not from the address, which may lag behind: choosing the current period would not run the page.
    shown = field.get_property("value")
    wanted = draw.choice([name for name in PERIODS if name != shown])
    field.send_keys(wanted)
    # Enter takes the first option, and the list narrows shortly after typing.
    opened.until(
        lambda: opened.driver.execute_script("return document.querySelector('[role=option]')?.innerText.trim()") == wanted
    )
    return lambda: field.send_keys(Keys.ENTER)


def _project(opened: Browser) -> Callable[[], None]:
    """Open the list of projects; the returned call clicks the second, which is visible however long the list is."""
    opened.driver.find_element(By.CSS_SELECTOR, ".st-key-project input").click()
    options = opened.until(lambda: opened.driver.find_elements(By.CSS_SELECTOR, "[role=option]"))
    return options[min(1, len(options) - 1)].click


def memory(stack: ExitStack, address: str, process_id: int, sessions: int) -> float:
    """Resident megabytes of the server with this many sessions open, one page each."""
    opened = stack.enter_context(browser.chromium(1280))
    for number in range(sessions):
        opened.driver.switch_to.new_window("tab")
        entry = PAGES[number % len(PAGES)]
        opened.driver.get(f"{address}/{entry.path if number % len(PAGES) else ''}")
        opened.until(opened.is_whole)
    return float(psutil.Process(process_id).memory_info().rss) / 1e6


def measured(data: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Serve a data folder and measure its dashboard."""
    with ExitStack() as stack:
        load_before = os.getloadavg()[0]
        address, process_id = stack.enter_context(browser.served(data))
        opened = stack.enter_context(browser.chromium(1280))
        opened.driver.set_script_timeout(browser.PATIENCE)
        # The first time, the browser also loads Streamlit's files, and the server loads its tables.
        cold = first_views(opened, address)
        views = [seconds for _ in range(5) for seconds in first_views(opened, address)]
        process = psutil.Process(process_id)
        before = process.cpu_times()
        changed, unseen = changes(opened, address, arguments.changes, arguments.seed)
        after = process.cpu_times()
        held = memory(stack, address, process_id, arguments.sessions)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": os.environ.get("ENGINE", "embedded"),
        "load_before": round(load_before, 1),
        "load_after": round(os.getloadavg()[0], 1),
        "cold_p95": round(percentile(cold, 0.95), 2),
        "view_p50": round(percentile(views, 0.5), 2),
        "view_p95": round(percentile(views, 0.95), 2),
        "views": len(views),
        "change_p50": round(percentile(changed, 0.5), 2),
        "change_p95": round(percentile(changed, 0.95), 2),
        "changes": len(changed),
        "unseen": unseen,
        "server_cpu_per_change": round((after.user + after.system - before.user - before.system) / len(changed), 3),
        "memory_mb": round(held),
        "sessions": arguments.sessions,
    }


def report(figures: dict[str, dict[str, Any]]) -> str:
    """All measurements as Markdown."""
    rows = "\n".join(
        f"| {name} | {found['engine']} | {found['measured_at'][:16].replace('T', ' ')} | {found['load_before']}, "
        f"{found['load_after']} | {found['view_p50']} / {found['view_p95']} | {found['cold_p95']} | "
        f"{found['change_p50']} / {found['change_p95']} of {found['changes']} |"
        f" {found['server_cpu_per_change']} | {found['memory_mb']} |"
        for name, found in figures.items()
    )
    left_out = ", ".join(f"{found.get('unseen', 0)} of {name}" for name, found in figures.items())
    return f"""# The dashboard in a real browser

Written by `make bench-dashboard`. Times are in seconds, p50 / p95, on two cores shared by server, browser and anything
else: a load average (before, after) far above 1 makes every time longer.
Limits: {FIRST_VIEW_SECONDS} s for a first view and {CHANGE_SECONDS} s for a filter change (p95), {MEMORY_MB} MB of memory.

| data | engine | measured (UTC) | load | first view | after a start | change | server CPU per change | memory, MB |
|---|---|---|---|---|---|---|---|---|
{rows}

- First view: a new session on a warm server, each of the {len(PAGES)} pages five times, until painted. After a start: p95
  of the very first views, when the server loads its tables and the browser loads Streamlit's files.
- Change: scripted choices of period and project on random pages, until the resulting page is painted. Left out because
  the browser never showed the page running: {left_out}.
- Memory: the server's, with 20 sessions open.
- demo is what `make demo` builds. large is gold of 100 projects over five years with ten million commits and issues, whose
  rows are generated and published, not computed by the models.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the row in the results; `large` generates its data")
    parser.add_argument("--data", type=Path, help="data folder with a publication")
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.data is None and arguments.name != "large":
        parser.error("name a data folder with --data")
    with ExitStack() as stack:
        data = arguments.data
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sample.build_large(data)
        found = measured(data, arguments)
    known = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    known[arguments.name] = found
    FIGURES.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    REPORT.write_text(report(known), encoding="utf-8")
    print(json.dumps(found, indent=2))
    over = {
        "first view": found["view_p95"] / FIRST_VIEW_SECONDS,
        "change": found["change_p95"] / CHANGE_SECONDS,
        "memory": found["memory_mb"] / MEMORY_MB,
    }
    print(", ".join(f"{name}: {share:.0%} of its limit" for name, share in over.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
