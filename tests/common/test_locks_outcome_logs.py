from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
import structlog

from lakepulse.locks import lock
from lakepulse.logs import configure_logs
from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.reports import StepReport, read_reports, write_report
from lakepulse.settings import Settings, load_settings
from lakepulse.step import run_step
from lakepulse.store import open_store

HOLD = """
import sys, time
from pathlib import Path
from lakepulse.locks import lock
from lakepulse.settings import Settings, load_settings
with lock(Settings(data_dir=Path(sys.argv[1])), "raw.commits"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_keeps_others_out_and_dies_with_its_holder(settings: Settings) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(settings.data_dir)], stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TemporaryError, match=r"raw\.commits"), lock(settings, "raw.commits", wait_seconds=0.3):
            pass
        with lock(settings, "raw.issues", wait_seconds=0):
            pass
        holder.kill()
        holder.wait()
    with lock(settings, "raw.commits", wait_seconds=5):
        pass


def test_a_step_that_may_not_use_the_catalog_takes_no_lock_there() -> None:
    nowhere = Settings(lake_url="s3://lake", catalog_uri="postgresql://127.0.0.1:1/catalog")
    with lock(nowhere, "fetch.commits", wait_seconds=0):
        pass


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (PermanentError("a: b\n  c"), 1, "error: a: b c\n"),
        (TemporaryError("host is down"), 75, "error: host is down\n"),
        (OSError(28, "No space left on device", "file"), 1, "error: No space left on device: file; free space"),
    ],
)
def test_an_expected_failure_is_one_line_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, line: str
) -> None:
    def step() -> None:
        raise error

    assert run_step(step) == code
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (3, 3)])
def test_a_step_may_return_its_exit_code(result: int | None, code: int) -> None:
    assert run_step(lambda: result) == code


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_step(lambda: print(1 / 0))


Configure = Callable[[Settings], None]
SECRETS = Settings(
    _env_file=None, github_token="ghp_one,ghp_two", webhook_url="https://example.org/hook/abc", catalog_password='it\'s\t"é"'
)


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Settings], None]]:
    """Sets up logs as in a step, where the root has none of pytest's handlers."""

    def fresh(settings: Settings) -> None:
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        configure_logs(settings)

    yield fresh
    structlog.reset_defaults()


def test_a_short_secret_leaves_the_keys_as_they_are(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(_env_file=None, github_token="t", log_format="json"))
    structlog.get_logger().warning("waiting", attempts=2, what={"at": "the limit"})
    line = json.loads(capsys.readouterr().err)
    assert set(line) == {"timestamp", "level", "event", "attempts", "what"}
    assert (line["event"], line["what"]) == ("wai[hidden]ing", {"at": "[hidden]he limi[hidden]"})


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_log_lines_hide_every_secret(configure: Configure, capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure(SECRETS.model_copy(update={"log_format": log_format}))
    log = structlog.get_logger()
    password = SECRETS.catalog_password.get_secret_value() if SECRETS.catalog_password else ""
    log.warning("sent", url="https://x/?t=ghp_two", hook="https://example.org/hook/abc", n=1)
    log.warning("nested", values=[{"token": "ghp_one"}], error=ValueError(password), text=password)
    logging.getLogger("library").warning("with %s", "ghp_one")
    try:
        raise ValueError("ghp_one")
    except ValueError:
        log.exception("failed")
    said = capsys.readouterr().err
    assert said.count("\n") == 4
    for part in ("ghp_", "hook/abc", "it's", "\\t", "é", "u00e9"):
        assert part not in said
    assert said.count("[hidden]") >= 7


def test_text_lines_are_keys_and_values(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(_env_file=None))
    structlog.get_logger().warning("waiting for a limit", api="github", seconds=3)
    said = capsys.readouterr().err
    assert re.fullmatch(r"timestamp='\S+Z' level='warning' event='waiting for a limit' api='github' seconds=3\n", said)


def test_json_lines_are_objects_with_the_same_values(
    configure: Configure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    configure(load_settings())
    structlog.get_logger().warning('it\'s\na "limit"', api="github", seconds=3, scope=None)
    logging.getLogger("library").error("bad %d", 7)
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    datetime.fromisoformat(ours.pop("timestamp"))
    assert ours == {"level": "warning", "event": 'it\'s\na "limit"', "api": "github", "seconds": 3, "scope": None}
    assert (theirs["level"], theirs["event"]) == ("error", "bad 7")


def test_reports_come_back_in_the_order_of_the_steps(settings: Settings) -> None:
    store = open_store(settings)
    assert read_reports(store, "r1") == []
    for step, minute in (("load", 2), ("fetch", 1)):
        at = f"2026-01-01T00:0{minute}:00Z"
        report = StepReport.model_validate(
            {"run_id": "r1", "step": step, "outcome": "succeeded", "started_at": at, "ended_at": "2026-01-01T00:05:00Z"}
        )
        write_report(store, report)
    assert [report.step for report in read_reports(store, "r1")] == ["fetch", "load"]
    assert read_reports(store, "r1")[0].seconds == 240
