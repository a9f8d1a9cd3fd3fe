"""Speed of the dashboard in a real browser: `python -m tests.dashboard.bench [--data FOLDER] [--out FILE]`.

Without a folder it runs on the sample. It opens every page afresh, makes scripted filter changes,
and then holds many sessions open while it reads the server's memory. The figures go to a JSON file;
a run judges by the ratio of each to what it may be, and fails when one is over 1.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dashboard.filters import DEFAULT_PERIOD, PERIODS
from dashboard.views import PAGES
from tests.dashboard import browser, sample
from tests.dashboard.browser import Browser

FIRST_VIEW_SECONDS = 1.5
CHANGE_SECONDS = 0.5
MEMORY_MB = 500


def percentile(values: Sequence[float], p: float) -> float:
    """Nearest rank."""
    return sorted(values)[math.ceil(p * len(values)) - 1]


def until_still(opened: Browser) -> None:
    """Wait, closely, until the page is whole."""
    opened.until(opened.is_whole)


def first_views(opened: Browser, address: str) -> dict[str, float]:
    """Seconds from asking for a page to its footer, each in a session of its own."""
    seconds = {}
    for index, entry in enumerate(PAGES):
        begun = time.perf_counter()
        opened.driver.get(f"{address}/{entry.path if index else ''}")
        until_still(opened)
        seconds[entry.title] = time.perf_counter() - begun
    return seconds


def changes(opened: Browser, address: str, number: int, seed: int) -> list[float]:
    """Seconds from a choice in a filter to the page that shows it."""
    draw = random.Random(seed)
    seconds: list[float] = []
    while len(seconds) < number:
        index, entry = draw.choice(list(enumerate(PAGES)))
        opened.driver.get(f"{address}/{entry.path if index else ''}")
        until_still(opened)
        for _ in range(min(10, number - len(seconds))):
            before = opened.driver.current_url
            field = opened.driver.find_element(By.CSS_SELECTOR, ".st-key-period input")
            [shown] = parse_qs(urlsplit(before).query).get("period", [DEFAULT_PERIOD])
            field.send_keys(draw.choice([name for name in PERIODS if name != shown]))
            begun = time.perf_counter()
            field.send_keys(Keys.ENTER)
            opened.until(partial(_moved_on, opened, before))
            until_still(opened)
            seconds.append(time.perf_counter() - begun)
    return seconds


def _moved_on(opened: Browser, before: str) -> bool:
    return opened.driver.current_url != before


def memory(stack: ExitStack, address: str, process_id: int, sessions: int) -> float:
    """Resident megabytes of the server while so many sessions are open, one page each."""
    opened = stack.enter_context(browser.chromium(1280))
    for number in range(sessions):
        opened.driver.switch_to.new_window("tab")
        entry = PAGES[number % len(PAGES)]
        opened.driver.get(f"{address}/{entry.path if number % len(PAGES) else ''}")
        until_still(opened)
    return float(psutil.Process(process_id).memory_info().rss) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="data folder with a publication; default: a new sample")
    parser.add_argument("--out", type=Path, default=Path("bench-dashboard.json"))
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        data = arguments.data
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sample.build(data)
        address, process_id = stack.enter_context(browser.served(data))
        opened = stack.enter_context(browser.chromium(1280))
        cold = first_views(opened, address)
        views = [seconds for _ in range(3) for seconds in first_views(opened, address).values()]
        changed = changes(opened, address, arguments.changes, arguments.seed)
        held = memory(stack, address, process_id, arguments.sessions)
    figures = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "first_view_after_start_seconds": {title: round(seconds, 3) for title, seconds in cold.items()},
        "first_view_p95_seconds": round(percentile(views, 0.95), 3),
        "filter_change_p50_seconds": round(percentile(changed, 0.5), 3),
        "filter_change_p95_seconds": round(percentile(changed, 0.95), 3),
        "filter_changes": len(changed),
        "memory_mb": round(held),
        "sessions": arguments.sessions,
    }
    of_limit = {
        "first_view": percentile(views, 0.95) / FIRST_VIEW_SECONDS,
        "filter_change": percentile(changed, 0.95) / CHANGE_SECONDS,
        "memory": held / MEMORY_MB,
    }
    report = figures | {"of_limit": {name: round(share, 2) for name, share in of_limit.items()}}
    arguments.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    return int(any(share > 1 for share in of_limit.values()))


if __name__ == "__main__":
    sys.exit(main())
