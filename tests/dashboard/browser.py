"""A served dashboard and Debian's Chromium, for the browser tests, the screenshots and the benchmark."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.error import URLError
from urllib.request import urlopen

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")
APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PATIENCE = 120
"""Seconds to wait for something to appear."""

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WHOLE = """
return document.body.innerText.includes('All dates and times are UTC')
    && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton]')
"""


def missing() -> str | None:
    """What must be installed to drive a browser, or None."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"no {' and no '.join(lacking)} on the PATH" if lacking else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(data_dir: Path, **environment: str) -> Iterator[tuple[str, int]]:
    """Serve the dashboard of a data folder; yields its address and process id."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port), "--server.headless", "true"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=os.environ | {"DATA_DIR": str(data_dir)} | environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            yield address, process.pid
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            process.terminate()
            process.wait(30)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5):  # noqa: S310 - our own server
                return
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the dashboard did not start") from None
            time.sleep(0.1)


class Browser:
    """Chromium with a new profile."""

    def __init__(self, profile: Path, width: int = 1280, height: int = 1000, *, dark: bool = False, zone: str = "UTC") -> None:
        options = Options()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={max(width, 500)},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
        # A window has a minimum width; an emulated screen does not.
        self.resize(width, height)
        self._command("Emulation.setTimezoneOverride", timezoneId=zone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])

    def _command(self, name: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(name, arguments)

    def resize(self, width: int, height: int) -> None:
        self._command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def open(self, address: str) -> None:
        """Open an address and wait until the page is complete."""
        self.driver.get(address)
        self.settle()

    def settle(self) -> None:
        """Wait until the footer is there and the page has stopped running."""
        # A choice reaches the server a moment after the key press.
        time.sleep(0.3)
        self.until(self.is_whole)

    def is_whole(self) -> bool:
        """Whether the last run of the page has ended and is shown."""
        return bool(self.driver.execute_script(_WHOLE))

    def until(self, condition: Callable[[], T], seconds: float = PATIENCE) -> T:
        """Wait until a condition is true, and return its value."""
        found: T = WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(lambda _: condition())
        return found

    def until_text(self, text: str) -> None:
        """Wait until the page contains a text."""
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: text in driver.find_element(By.TAG_NAME, "body").text)

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def main_text(self) -> str:
        """The text of the page without navigation and filters."""
        return self.driver.find_element(By.CSS_SELECTOR, "[data-testid=stMainBlockContainer]").text

    def save_downloads_in(self, folder: Path) -> None:
        self._command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def complaints(self) -> list[str]:
        """Errors in the console since the last call.

        Streamlit first looks for its server below the page's path: those two 404 replies are expected.
        """
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE" and "/_stcore/" not in entry["message"]]

    def whole_page(self, width: int, most: int) -> bytes:
        """A picture of the whole page, at most `most` pixels high."""
        height = self.driver.execute_script(
            "return document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().height"
        )
        self.resize(width, min(int(height) + 60, most))
        # Charts resize in animation frames.
        time.sleep(1.5)
        return self.driver.get_screenshot_as_png()

    def close(self) -> None:
        self.driver.quit()


@contextmanager
def chromium(width: int = 1280, height: int = 1000, *, dark: bool = False, zone: str = "UTC") -> Iterator[Browser]:
    """A browser with its own profile, which is deleted afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(Path(profile), width, height, dark=dark, zone=zone)
        try:
            yield browser
        finally:
            browser.close()
