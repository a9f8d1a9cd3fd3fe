"""The local runner with small real processes as steps, itself run as a process."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from workflows.pipelines import PIPELINES

REPOSITORY = Path(__file__).resolve().parents[2]

# What the steps of the tests share: `report(...)` leaves a StepReport as the real programs do.
STEP = """
import os, signal, sys, time
from pathlib import Path

data_dir = Path(os.environ["DATA_DIR"])

def report(step, **fields):
    from datetime import UTC, datetime
    from lakepulse.reports import StepReport, write_report
    from lakepulse.settings import load_settings
    from lakepulse.store import open_store

    settings, now = load_settings(), datetime.now(UTC)
    fields = {"outcome": "succeeded"} | fields
    write_report(open_store(settings), StepReport(run_id=settings.run_id, step=step, started_at=now, ended_at=now, **fields))
"""

RUNNER = """
import dataclasses, json, sys
from lakepulse.step import run_step
from lakepulse.settings import load_settings
from workflows import local
from workflows.pipelines import PIPELINES, RECORD

header, *programs, record = json.loads(sys.argv[1])
daily = PIPELINES["daily"]
steps = [dataclasses.replace(step, command=("python", "-c", header + program)) for step, program in zip(daily.steps, programs)]
pipeline = dataclasses.replace(daily, steps=tuple(steps))
codes = []
failed = run_step(lambda: codes.append(
    local.run(load_settings(), pipeline, dataclasses.replace(RECORD, command=("python", "-c", header + record)))
))
sys.exit(failed or codes[0])
"""

FETCH = "report('fetch-github', rows=1200, requests=13, quota=4); report('fetch-pypi', rows=34, requests=5, quota=0)"
LOAD = "report('load', rows=1234)"
BUILD = "print('built', file=sys.stderr)"
PUBLISH = "pass"
RECORD = """
import json
names = ("OUTCOME", "FAILED_STEP", "MESSAGE", "RUN_ID", "PIPELINE", "AS_OF")
(data_dir / "recorded.json").write_text(json.dumps({name: os.environ.get(name) for name in names}))
"""


# The step's own child would run for a minute if only the step were ended.
WITH_A_CHILD = """
import subprocess
child = subprocess.Popen(["sleep", "60"])
(data_dir / "written").write_text(str(child.pid))
(data_dir / "written").rename(data_dir / "child")
child.wait()
"""


@dataclass
class Runner:
    """Starts the runner in a data folder of its own."""

    data_dir: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(str(REPOSITORY / folder) for folder in (".", "images/common"))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
        return kept | {"PYTHONPATH": path, "DATA_DIR": str(self.data_dir), "RUN_ID": "run-1", "AS_OF": "2026-01-31"}

    def start(self, *programs: str, record: str = RECORD) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUNNER, json.dumps([STEP, *programs, record])],
            env=self.environment,
            cwd=self.data_dir.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *programs: str, record: str = RECORD) -> subprocess.CompletedProcess[str]:
        with self.start(*programs, record=record) as process:
            stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    @property
    def recorded(self) -> dict[str, str | None]:
        found: dict[str, str | None] = json.loads((self.data_dir / "recorded.json").read_text())
        return found

    def log(self, step: str) -> str:
        return (self.data_dir / "logs" / "run-1" / f"{step}.log").read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "data")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.05)


def words(line: str) -> list[str]:
    return line.split()


def test_success_prints_one_line_a_step_and_what_to_do_next(runner: Runner) -> None:
    ended = runner.run(FETCH, LOAD, BUILD, PUBLISH)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    first, fetch, load, build, publish, record, following = ended.stdout.splitlines()
    assert first == "daily: run run-1, as of 2026-01-31, real data"
    # The parts of a step count together.
    assert words(fetch)[:8] == ["fetch", "succeeded", "1,234", "rows", "18", "requests", "4", "quota"]
    assert words(load)[:8] == ["load", "succeeded", "1,234", "rows", "-", "requests", "-", "quota"]
    assert words(build)[:3] == ["build", "succeeded", "-"]
    assert [words(line)[:2] for line in (publish, record)] == [["publish", "succeeded"], ["record", "succeeded"]]
    assert all(line.endswith(" s") for line in (fetch, load, build, publish, record))
    assert following.startswith("next: ")
    assert str(runner.data_dir) in following
    assert runner.log("build") == "built\n"
    assert runner.recorded == {
        "OUTCOME": "succeeded",
        "FAILED_STEP": None,
        "MESSAGE": None,
        "RUN_ID": "run-1",
        "PIPELINE": "daily",
        "AS_OF": "2026-01-31",
    }


def test_last_line_says_what_was_held_back_and_what_to_do(runner: Runner) -> None:
    refusal = {"source": "pypi_releases", "scope": "delta", "table": "package_files", "what": "9 of 10 rows are gone"}
    load = f"report('load', rows=1, details={{'held_back': [{refusal | {'what_to_do': 'set ALLOW_SHRINK=1'}!r}]}})"
    ended = runner.run(FETCH, load, BUILD, PUBLISH)
    assert ended.returncode == 0, ended.stderr
    following, last = ended.stdout.splitlines()[-2:]
    assert following.startswith("next: ")
    assert last == "held back: pypi_releases delta: 9 of 10 rows are gone; set ALLOW_SHRINK=1"


@pytest.mark.parametrize("code", [1, 75])
def test_failing_step_ends_the_run_with_its_code_and_its_line_once(runner: Runner, code: int) -> None:
    program = f"print('error: no answer from the API', file=sys.stderr); print('bye', file=sys.stderr); sys.exit({code})"
    ended = runner.run(FETCH, program, BUILD, PUBLISH)
    assert ended.returncode == code
    assert ended.stderr.splitlines() == ["error: no answer from the API"]
    assert "error" not in ended.stdout
    assert [words(line)[:2] for line in ended.stdout.splitlines()[1:]] == [
        ["fetch", "succeeded"],
        ["load", "failed"],
        ["record", "succeeded"],
    ]
    assert runner.recorded["OUTCOME"] == "failed"
    assert runner.recorded["FAILED_STEP"] == "load"
    assert runner.recorded["MESSAGE"] == "no answer from the API"
    assert not (runner.data_dir / "logs" / "run-1" / "build.log").exists()


def test_step_without_an_error_line_is_explained_by_its_last_line_and_log(runner: Runner) -> None:
    ended = runner.run("raise RuntimeError('a bug')", LOAD, BUILD, PUBLISH)
    assert ended.returncode == 1
    log = runner.data_dir / "logs" / "run-1" / "fetch.log"
    assert ended.stderr.splitlines() == [f"error: fetch ended with exit code 1: RuntimeError: a bug (log: {log})"]
    assert "Traceback" in log.read_text()


def test_warnings_of_a_step_are_shown_once_and_counted(runner: Runner) -> None:
    program = """
import structlog
from lakepulse.logs import configure_logs
from lakepulse.settings import load_settings
configure_logs(load_settings())
log = structlog.get_logger()
log.info("fetched", rows=1)
log.warning("it's a \\"test\\": no token", lists=12)
log.warning("upstream says it is gone", scope="a/b")
log.warning("upstream says it is gone", scope="a/c")
"""
    ended = runner.run(program, LOAD, BUILD, PUBLISH)
    assert ended.returncode == 0
    assert ended.stderr.splitlines() == [
        """warning: fetch: it's a "test": no token lists=12""",
        f"warning: fetch: upstream says it is gone scope='a/b' (1 more like it in {runner.data_dir}/logs/run-1/fetch.log)",
    ]
    assert runner.log("fetch").count(" warning ") == 3


def test_log_file_is_text_with_everything_that_the_step_wrote(runner: Runner) -> None:
    program = """
import structlog
from lakepulse.logs import configure_logs
from lakepulse.settings import load_settings
configure_logs(load_settings())
log = structlog.get_logger()
log.info("fetched", rows=1, repo="a/b")
print("plain text", flush=True)
print('{"rows": 1}', flush=True)
print("{not JSON", flush=True)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("skipped", page=7)
"""
    assert runner.run(program, LOAD, BUILD, PUBLISH).returncode == 0
    first, *plain, skipped, traceback = runner.log("fetch").split("\n", 5)[:6]
    assert re.fullmatch(r"20\S+Z info    fetched rows=1 repo='a/b'", first)
    assert plain == ["plain text", '{"rows": 1}', "{not JSON"]
    assert re.fullmatch(r"20\S+Z error   skipped page=7", skipped)
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert traceback.endswith("ZeroDivisionError: division by zero\n")


def test_killed_step_is_named_with_its_signal(runner: Runner) -> None:
    ended = runner.run(FETCH, "os.kill(os.getpid(), signal.SIGKILL)", BUILD, PUBLISH)
    assert ended.returncode == 128 + signal.SIGKILL
    assert "load was killed by SIGKILL" in ended.stderr
    assert runner.recorded["FAILED_STEP"] == "load"


def test_failing_record_fails_a_run_that_succeeded(runner: Runner) -> None:
    ended = runner.run(FETCH, LOAD, BUILD, PUBLISH, record="print('error: no catalog', file=sys.stderr); sys.exit(75)")
    assert ended.returncode == 75
    assert ended.stderr.splitlines() == ["error: no catalog"]
    assert "next:" not in ended.stdout


def test_failing_record_does_not_hide_the_step_that_failed(runner: Runner) -> None:
    ended = runner.run("sys.exit(1)", LOAD, BUILD, PUBLISH, record="print('error: no catalog', file=sys.stderr); sys.exit(75)")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[1:] == ["error: no catalog"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_step_with_all_its_processes_and_records_the_run(runner: Runner, number: signal.Signals) -> None:
    with runner.start(FETCH, WITH_A_CHILD, BUILD, PUBLISH) as process:
        wait_for(runner.data_dir / "child")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert stderr.splitlines() == [f"error: load was stopped by {number.name}; run again to resume"]
    assert [words(line)[:2] for line in stdout.splitlines()[2:]] == [["load", "failed"], ["record", "succeeded"]]
    assert runner.recorded["OUTCOME"] == "failed"
    assert runner.recorded["MESSAGE"] == f"stopped by {number.name}"
    assert not child_runs(runner)


def child_runs(runner: Runner) -> bool:
    child = Path("/proc") / (runner.data_dir / "child").read_text()
    return child.exists() and "State:\tZ" not in (child / "status").read_text()


def test_closed_terminal_ends_the_step_and_records_the_run(runner: Runner) -> None:
    arguments = [sys.executable, "-c", RUNNER, json.dumps([STEP, FETCH, WITH_A_CHILD, BUILD, PUBLISH, RECORD])]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(runner.data_dir.parent)
        os.execve(sys.executable, arguments, runner.environment | {"TERM": "xterm"})  # noqa: S606 - this interpreter
    wait_for(runner.data_dir / "child")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert runner.recorded["FAILED_STEP"] == "load"
    assert runner.recorded["MESSAGE"] == "stopped by SIGHUP"
    assert not child_runs(runner)


def test_run_under_nohup_outlives_its_terminal(runner: Runner) -> None:
    program = """
(data_dir / "started").touch()
while not (data_dir / "go").exists():
    time.sleep(0.05)
"""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which a child inherits
    try:
        process = runner.start(program, LOAD, BUILD, PUBLISH)
    finally:
        signal.signal(signal.SIGHUP, before)
    with process:
        wait_for(runner.data_dir / "started")
        process.send_signal(signal.SIGHUP)
        (runner.data_dir / "go").touch()
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    assert runner.recorded["OUTCOME"] == "succeeded"


def test_reader_that_goes_away_does_not_end_the_run(runner: Runner) -> None:
    program = """
(data_dir / "started").touch()
while not (data_dir / "go").exists():
    time.sleep(0.05)
"""
    with runner.start(program, LOAD, BUILD, PUBLISH) as process:
        wait_for(runner.data_dir / "started")
        assert process.stdout is not None
        process.stdout.close()
        (runner.data_dir / "go").touch()
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert runner.recorded["OUTCOME"] == "succeeded"


def test_terminal_shows_the_steps_last_line_while_it_runs(runner: Runner) -> None:
    program = "print('page 7 of 9', file=sys.stderr, flush=True); time.sleep(1)"
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, json.dumps([STEP, program, LOAD, BUILD, PUBLISH, RECORD])],
        env=runner.environment | {"TERM": "xterm", "COLUMNS": "200"},
        cwd=runner.data_dir.parent,
        stdout=secondary,
        stderr=secondary,
    )
    os.close(secondary)
    shown = b""
    with suppress(OSError):  # which is how Linux reports the end of a terminal
        while chunk := os.read(primary, 4096):
            shown += chunk
    os.close(primary)
    assert process.wait() == 0
    assert b"fetch  page 7 of 9" in shown
    assert runner.log("fetch") == "page 7 of 9\n"


def test_second_run_waits_for_the_first(runner: Runner) -> None:
    program = """
(data_dir / "started").touch()
while not (data_dir / "go").exists():
    time.sleep(0.05)
"""
    with runner.start(program, LOAD, BUILD, PUBLISH) as first:
        wait_for(runner.data_dir / "started")
        with runner.start(FETCH, LOAD, BUILD, PUBLISH) as second:
            assert second.stderr is not None
            assert second.stderr.readline() == "another run is in progress in this DATA_DIR; waiting for it to finish\n"
            (runner.data_dir / "go").touch()
            assert first.communicate(timeout=60)[1] == ""
            second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)


def test_moved_data_folder_is_refused_before_any_step(runner: Runner) -> None:
    assert runner.run(FETCH, LOAD, BUILD, PUBLISH).returncode == 0
    moved = runner.data_dir.rename(runner.data_dir.with_name("moved"))
    ended = Runner(moved).run(FETCH, LOAD, BUILD, PUBLISH)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "was moved" in ended.stderr


def test_pipeline_default_yields_to_the_environment(runner: Runner) -> None:
    program = "report('fetch', rows=int(os.environ['SWEEP']))"
    source = RUNNER.replace('PIPELINES["daily"]', 'PIPELINES["backfill"]')
    for said, rows in (({}, "1"), ({"SWEEP": "0"}, "0")):
        ended = subprocess.run(
            [sys.executable, "-c", source, json.dumps([STEP, program, LOAD, BUILD, PUBLISH, RECORD])],
            env=runner.environment | said,
            cwd=runner.data_dir.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        assert words(ended.stdout.splitlines()[1])[:3] == ["fetch", "succeeded", rows]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in (".", "images/common"))
    return subprocess.run(
        [sys.executable, "-m", "workflows", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_unknown_pipeline_names_the_known_ones() -> None:
    ended = command("run", "nightly")
    assert ended.returncode == 1
    assert all(name in ended.stderr for name in PIPELINES)


def test_bad_setting_is_one_line() -> None:
    ended = command("run", "daily", AS_OF="tomorrow")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("error: AS_OF: ")
