"""What the steps say when the object store or the catalog's database is down: one line, and exit code 75."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import obstore
import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO

from lakepulse.locks import lock
from lakepulse.outages import outage
from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.settings import Settings
from lakepulse.step import run_step
from lakepulse.store import open_store
from spark_apps.errors import engine_error

ROOT = Path(__file__).resolve().parents[2]
AWAY = {
    "LAKE_URL": "s3://lakepulse/lake",
    "S3_ENDPOINT": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
    "AWS_REGION": "us-east-1",
    "CATALOG_URI": "postgresql://127.0.0.1:1/catalog",
    "CATALOG_USER": "nobody",
    "CATALOG_PASSWORD": "secret-of-the-test",
    "RUN_ID": "run-1",
}
"""A cluster's settings, with nothing behind them."""


def settings_away() -> Settings:
    return Settings(_env_file=None, **{name.lower(): value for name, value in AWAY.items()})  # type: ignore[arg-type]


def read_store() -> None:
    list(obstore.list(open_store(settings_away())))


def take_lock() -> None:
    with lock(settings_away(), "raw.commits"):
        pass


def read_file() -> None:
    properties = {"s3.endpoint": AWAY["S3_ENDPOINT"], "s3.access-key-id": "nobody", "s3.secret-access-key": "x"}
    PyArrowFileIO(properties | {"s3.region": "us-east-1"}).new_input("s3://lakepulse/file").open()


@pytest.mark.parametrize(
    ("act", "what"), [(read_store, "the object store"), (take_lock, "the catalog's database"), (read_file, "the object store")]
)
def test_what_does_not_answer_is_worth_another_try(
    act: Callable[[], None], what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(TemporaryError, match=rf"^loading raw\.commits failed: {what} did not answer"),
        engine_error("loading raw.commits"),
    ):
        act()
    assert run_step(act) == 75
    said = capfd.readouterr().err
    assert said.startswith(f"error: {what} did not answer (")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [["lakepulse", "fetch"], *(["lakepulse_dbt", *words] for words in (["build"], ["publish"], ["record"], ["export", "out"]))],
    ids=" ".join,
)
def test_each_step_says_so_in_one_line(command: list[str]) -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("", "images/common", "images/fetch", "images/simulator", "dbt"))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=kept | AWAY | {"PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (75, False), done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "run again" in line
    assert "secret-of-the-test" not in done.stdout + done.stderr


def test_other_errors_are_no_outage() -> None:
    assert outage(ValueError("HTTP error")) is None
    assert outage(PermanentError("x")) is None
