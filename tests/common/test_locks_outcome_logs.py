from __future__ import annotations

import subprocess
import sys

import pytest
import structlog

from lakepulse.locks import lock
from lakepulse.logs import configure_logs
from lakepulse.outcome import PermanentError, TemporaryError, run_step
from lakepulse.reports import StepReport, read_reports, write_report
from lakepulse.settings import Settings
from lakepulse.store import open_store

HOLD = """
import sys, time
from pathlib import Path
from lakepulse.locks import lock
from lakepulse.settings import Settings
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
        (TemporaryError("host is away"), 75, "error: host is away\n"),
        (OSError(28, "No space left on device", "file"), 1, "error: No space left on device: file (free space"),
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


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_step(lambda: print(1 / 0))


def test_log_lines_hide_every_secret(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(github_token="ghp_one,ghp_two", webhook_url="https://example.org/hook/abc"))
    structlog.get_logger().warning("asked", url="https://x/?t=ghp_two", hook="https://example.org/hook/abc", n=1)
    structlog.reset_defaults()
    said = capsys.readouterr().err
    assert "ghp_two" not in said
    assert "hook/abc" not in said
    assert "n=1" in said


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
