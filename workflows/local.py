"""Runs a pipeline on this machine: the declared commands, one process after another.

The steps' logs go to `DATA_DIR/logs/<run_id>/<step>.log`; stdout gets one line a step.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from rich.console import Console
from rich.status import Status
from rich.text import Text

from lakepulse.data_dir import open_data_dir
from lakepulse.locks import lock
from lakepulse.outcome import TemporaryError, one_line
from lakepulse.reports import StepReport, read_reports
from lakepulse.settings import Settings
from lakepulse.store import open_store
from workflows.pipelines import PARAMETERS, RECORD, Pipeline, Step

_REPOSITORY = Path(__file__).resolve().parents[1]
_CODE = (_REPOSITORY, _REPOSITORY / "images/common", _REPOSITORY / "images/fetch", _REPOSITORY / "dbt")
_LOCK = "workflow"
_GRACE_SECONDS = 20
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a run early: Ctrl-C, a stopped service, a closed terminal."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """Exit code (128 + n after signal n), the last line, and the lines that are for people."""

    code: int
    last: str
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


def run(settings: Settings, pipeline: Pipeline, record: Step = RECORD) -> int:
    """Run the steps in order, then `record` whatever happened.

    Returns the exit code of the step that failed (128 + n after signal n), else that of `record`.

    Raises:
        StepError: the data folder cannot be used, or another run holds it for too long.
    """
    open_data_dir(settings)
    with ExitStack() as held:
        try:
            held.enter_context(lock(settings, _LOCK, wait_seconds=0))
        except TemporaryError:
            print("another run is in progress in this DATA_DIR; waiting for it to finish", file=sys.stderr)
            held.enter_context(lock(settings, _LOCK))
        return _Run(settings, pipeline, record).run()


class _Run:
    """One run. A signal ends the present step and leaves the rest to `run`."""

    def __init__(self, settings: Settings, pipeline: Pipeline, record: Step) -> None:
        self.settings = settings
        self.pipeline = pipeline
        self.record = record
        self.console = Console(highlight=False)
        self.logs = settings.data_dir / "logs" / settings.run_id
        self.width = max(len(step.name) for step in (*pipeline.steps, record))
        self.child: subprocess.Popen[bytes] | None = None
        self.signal: int | None = None
        self.killer: threading.Timer | None = None
        self.terminals = [number for number in (1, 2) if os.isatty(number)]

    def run(self) -> int:
        self.logs.mkdir(parents=True, exist_ok=True)
        kind = "simulated data" if self.settings.demo else "real data"
        self.say(f"{self.pipeline.name}: run {self.settings.run_id}, as of {self.settings.as_of}, {kind}")
        # What is ignored stays ignored: with nohup a run outlives its terminal.
        wanted = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        handlers = {number: signal.signal(number, self.stop) for number in wanted}
        try:
            code, outcome = self.steps()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        # In its own session it outlives a second Ctrl-C, and nothing else records that the run failed.
        recorded = self.step(self.record, outcome)
        code = code or recorded.code
        if code == 0 and any(step.name == "publish" for step in self.pipeline.steps):
            self.say(f"next: make serve DATA_DIR={self.settings.data_dir}   (the dashboard of this data)")
        if code == 0 and (held_back := self.held_back()):
            # Last, where one who only glances looks.
            self.say(held_back)
        return code

    def held_back(self) -> str:
        """One line about the scopes that the run's loads held back; empty if there are none."""
        refusals = [
            refusal
            for step in self.pipeline.order
            for report in self.reports(step)
            for refusal in report.details.get("held_back", [])
        ]
        parts = [f"{refusal['source']} {refusal['scope']}: {refusal['what']}; {refusal['what_to_do']}" for refusal in refusals]
        return one_line(f"held back: {' · '.join(parts)}") if parts else ""

    def steps(self) -> tuple[int, dict[str, str]]:
        for step in self.pipeline.order:
            ended = self.step(step, {})
            if self.signal is not None:
                message = f"stopped by {signal.Signals(self.signal).name}"
                self.complain(f"error: {step.name} was {message}; run again to resume")
                return 128 + self.signal, {"OUTCOME": "failed", "FAILED_STEP": step.name, "MESSAGE": message}
            if ended.code:
                message = " ".join(error.removeprefix("error: ") for error in ended.errors)
                return ended.code, {"OUTCOME": "failed", "FAILED_STEP": step.name, "MESSAGE": message}
        return 0, {"OUTCOME": "succeeded"}

    def step(self, step: Step, extra: dict[str, str]) -> _Ended:
        """Run one step to its end, and print how it ended."""
        started, began = datetime.now(UTC).replace(microsecond=0), time.monotonic()
        log = self.logs / f"{step.name}.log"
        ended = self.process(step, log, self.environment() | extra)
        seconds = time.monotonic() - began
        reports = [report for report in self.reports(step) if report.started_at >= started]
        self.say(self.line(step, reports, "failed" if ended.code else "succeeded", seconds))
        if ended.code and not ended.errors and self.signal is None:
            killed = ended.code > 128
            how = f"was killed by {signal.Signals(ended.code - 128).name}" if killed else f"ended with exit code {ended.code}"
            error = f"error: {step.name} {how}: {ended.last or 'no output'} (log: {log})"
            ended = dataclasses.replace(ended, errors=(error,))
        for line in (*ended.warnings, *ended.errors):
            self.complain(line)
        return ended

    def process(self, step: Step, log: Path, environment: dict[str, str]) -> _Ended:
        command = [sys.executable if word == "python" else word for word in step.command]
        last = ""
        # What a program repeats is shown once and counted.
        warnings: dict[str, str] = {}
        repeated: Counter[str] = Counter()
        errors: dict[str, None] = {}
        # A session of its own, so that a signal reaches whatever the step has started.
        with log.open("ab") as file, ExitStack() as stack:
            status = stack.enter_context(self.console.status("")) if self.console.is_terminal else None
            self.child = child = stack.enter_context(
                subprocess.Popen(
                    command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
                )
            )
            if self.signal is not None and step is not self.record:
                self.end_child()
            if child.stdout is None:
                raise AssertionError("stdout is a pipe")
            for raw in child.stdout:
                entry = _entry(raw)
                file.write(raw if entry is None else _readable(entry))
                file.flush()
                line = raw.decode(errors="replace").strip() if entry is None else _said(entry)
                if line:
                    last = one_line(line)
                if entry is not None and entry["level"] == "warning":
                    event = str(entry["event"])
                    warnings.setdefault(event, f"warning: {step.name}: {last}")
                    repeated[event] += 1
                elif line.startswith("error: "):
                    errors[line] = None
                if status is not None:
                    self.show(status, step, last)
            code = child.wait()
            self.child = None
        if self.killer is not None:
            self.killer.cancel()
        shown = tuple(
            line if repeated[event] == 1 else f"{line} ({repeated[event] - 1} more like it in {log})"
            for event, line in warnings.items()
        )
        return _Ended(code if code >= 0 else 128 - code, last, shown, tuple(errors))

    def environment(self) -> dict[str, str]:
        inherited = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([*map(str, _CODE), *([inherited] if inherited else [])])
        defaults = {PARAMETERS[name].variable: value for name, value in self.pipeline.defaults.items()}
        return (
            defaults
            | dict(os.environ)
            | {
                "PYTHONPATH": path,
                "PYTHONUNBUFFERED": "1",
                "LOG_FORMAT": "json",
                "RUN_ID": self.settings.run_id,
                "PIPELINE": self.pipeline.name,
                # Said once, so that a run over midnight stays one run.
                "AS_OF": self.settings.as_of.isoformat(),
            }
        )

    def reports(self, step: Step) -> list[StepReport]:
        found = read_reports(open_store(self.settings), self.settings.run_id)
        return [report for report in found if report.step == step.name or report.step.startswith(f"{step.name}-")]

    def line(self, step: Step, reports: list[StepReport], outcome: str, seconds: float) -> str:
        def total(field: str) -> str:
            values = [value for report in reports if (value := getattr(report, field)) is not None]
            return f"{sum(values):,}" if values else "-"

        return (
            f"{step.name:<{self.width}}  {outcome:<9}  {total('rows'):>11} rows  {total('requests'):>7} requests"
            f"  {total('quota'):>7} quota  {seconds:>7.1f} s"
        )

    def show(self, status: Status, step: Step, line: str) -> None:
        printable = "".join(character for character in line if character.isprintable())
        status.update(Text(f"{step.name}  {printable}", no_wrap=True, overflow="ellipsis"))

    def say(self, line: str) -> None:
        _write(line, sys.stdout)

    def complain(self, line: str) -> None:
        _write(line, sys.stderr)

    def stop(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        if number == signal.SIGHUP:
            for terminal in self.terminals:
                _silence(terminal)
        if self.child is not None:
            self.end_child()

    def end_child(self) -> None:
        self.signal_group(signal.SIGTERM)
        if self.killer is None:
            self.killer = threading.Timer(_GRACE_SECONDS, self.signal_group, [signal.SIGKILL])
            self.killer.daemon = True
            self.killer.start()

    def signal_group(self, number: int) -> None:
        child = self.child
        if child is not None and child.returncode is None:
            os.killpg(child.pid, number)


def _entry(raw: bytes) -> dict[str, Any] | None:
    """A line that `lakepulse.logs` wrote, as its values; None for any other line."""
    try:
        found = json.loads(raw) if raw.startswith(b"{") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"timestamp", "level", "event"} <= found.keys() else None


def _said(entry: dict[str, Any]) -> str:
    """A log entry's event and values on one line."""
    values = {name: value for name, value in entry.items() if name not in {"timestamp", "level", "event", "exception"}}
    return " ".join([str(entry["event"]), *(f"{name}={value!r}" for name, value in values.items())])


def _readable(entry: dict[str, Any]) -> bytes:
    """A log entry as the log file has it; a traceback follows on lines of its own."""
    lines = [f"{entry['timestamp']} {entry['level']:<7} {_said(entry)}", *str(entry.get("exception", "")).splitlines()]
    return "".join(f"{line}\n" for line in lines).encode()


def _write(line: str, stream: TextIO) -> None:
    """Print a line. If nobody reads it any more, as after `head` or a closed terminal, the run goes on."""
    try:
        print(line, file=stream, flush=True)
    except OSError:
        _silence(stream.fileno())


def _silence(number: int) -> None:
    """Have a file descriptor lead nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
