"""Record how a run ended: one row of `ops.runs`, and a message to the webhook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import pyarrow as pa
import structlog
from pyiceberg.expressions import EqualTo

from lakepulse.data_dir import open_data_dir
from lakepulse.locks import lock
from lakepulse.logs import HIDDEN, secrets_of
from lakepulse.names import RUNS
from lakepulse.outcome import StepError, one_line
from lakepulse.reports import StepReport, read_reports
from lakepulse.settings import Settings
from lakepulse.store import open_store
from lakepulse_dbt.steps import catalog_errors, reported
from lakepulse_dbt.warehouse import RUNS_SCHEMA, open_catalog
from lakepulse_dbt.webhook import post

log = structlog.get_logger()

_STEP = "record"
_OPS_LOCK = "ops"
_UNKNOWN = "no step reported why: the run was ended from outside"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as its workflow engine reports it.

    `outcome` is `Succeeded` or `succeeded`, anything else means failed; None leaves it to the reports. `message` is why
    the step `failed_step` failed, one line; `engine_message` is what the engine says of that, if nobody else does.
    """

    outcome: str | None = None
    failed_step: str | None = None
    message: str | None = None
    engine_message: str | None = None


def record(settings: Settings, ending: Ending) -> None:
    """Notify the webhook, then write the run's row from its step reports; recorded again, a run replaces its row.

    The webhook comes first: where the store is down, nothing else would say so. A run that is recorded in a second
    attempt is therefore posted twice.

    Raises:
        TemporaryError: another run held the lock for too long, or the store or the catalog did not answer.
        PermanentError: the lake cannot be used.
    """
    reports: list[StepReport] = []
    problem: StepError | None = None
    try:
        with catalog_errors():
            open_data_dir(settings)
            # Not its own: recorded again, the run would differ.
            reports = [report for report in read_reports(open_store(settings), settings.run_id) if report.step != _STEP]
    except StepError as error:
        problem = error
    row = run_row(settings, reports, ending)
    if problem:
        # The reports would say why the run failed.
        unread = row | {"message": None if row["message"] == _UNKNOWN else row["message"]}
        post(settings, message(unread, _hidden(settings, one_line(problem))))
        raise problem
    post(settings, message(row))
    with reported(settings, _STEP) as own, lock(settings, _OPS_LOCK):
        table = open_catalog(settings).load_table(RUNS)
        same_run = EqualTo("run_id", settings.run_id)  # type: ignore[call-arg, misc]
        known = table.scan(same_run).to_arrow().to_pylist()
        if known and not reports:
            # The clock is all that could differ.
            row |= {key: known[0][key] for key in ("started_at", "ended_at")}
        if known != [row]:
            rows = pa.Table.from_pylist([row], schema=RUNS_SCHEMA)
            if known:
                table.overwrite(rows, same_run)
            else:
                table.append(rows)
        own.rows = 1
    log.info("recorded the run", run_id=settings.run_id, outcome=row["outcome"], failed_step=row["failed_step"])


def run_row(settings: Settings, reports: list[StepReport], ending: Ending) -> dict[str, Any]:
    """The run's row, as `RUNS_SCHEMA` has it. Without an outcome the reports decide, and a run without a report failed."""
    failed = next((report for report in reversed(reports) if report.outcome == "failed"), None)
    succeeded = ending.outcome.casefold() == "succeeded" if ending.outcome else bool(reports) and failed is None
    now = datetime.now(UTC)
    failed_step = why = None
    if not succeeded:
        failed_step = ending.failed_step or (failed.step if failed else None)
        why = ending.message or (failed.message if failed else None) or ending.engine_message or _UNKNOWN
    return {
        "run_id": settings.run_id,
        "pipeline": settings.pipeline,
        "is_demo": settings.demo,
        "as_of": settings.as_of,
        "started_at": min((report.started_at for report in reports), default=now),
        "ended_at": max((report.ended_at for report in reports), default=now),
        "outcome": "succeeded" if succeeded else "failed",
        "failed_step": failed_step,
        "message": _hidden(settings, one_line(why)) if why else None,
        "steps": _hidden(settings, json.dumps([report.model_dump(mode="json") for report in reports])),
    }


def _hidden(settings: Settings, text: str) -> str:
    """The text without secrets: a failure elsewhere may have quoted one."""
    return reduce(lambda hidden, secret: hidden.replace(secret, HIDDEN), secrets_of(settings), text)


def message(row: dict[str, Any], record_error: str | None = None) -> dict[str, Any]:
    """The webhook's JSON: the run's row, its steps, what `load` held back, the alerts that `publish` found, and a line.

    The line is `text`, which chats show; they refuse a message without one. `record_error` is why the steps are
    unknown, and the run is not recorded.
    """
    body = {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}
    body["steps"] = steps = json.loads(row["steps"])
    body["alerts"] = [alert for step in steps for alert in step["details"].get("alerts", [])]
    body["unchecked"] = [rule for step in steps for rule in step["details"].get("unchecked", [])]
    body["held_back"] = [refusal for step in steps for refusal in step["details"].get("held_back", [])]
    body["alerts_error"] = next((error for step in steps if (error := step["details"].get("alerts_error"))), None)
    body["record_error"] = record_error
    return {"text": _line(body)} | body


def _line(body: dict[str, Any]) -> str:
    demo = " (demo data)" if body["is_demo"] else ""
    step = f" in {body['failed_step']}" if body["failed_step"] else ""
    why = f": {body['message']}" if body["message"] else ""
    line = f"lakepulse{demo}: {body['pipeline']} as of {body['as_of']} {body['outcome']}{step}{why}"
    if body["record_error"]:
        line += f" · not recorded: {body['record_error']}"
    if body["alerts_error"]:
        line += f" · alert rules not checked: {body['alerts_error']}"
    held_back = [
        f"held back: {refusal['source']} {refusal['scope']}: {refusal['what']}; {refusal['what_to_do']}"
        for refusal in body["held_back"]
    ]
    return one_line(" · ".join([line, *held_back, *(alert["message"] for alert in body["alerts"])]))
