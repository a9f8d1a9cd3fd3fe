"""Record how a run ended: one row of `ops.runs`, and a message to the webhook."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import httpx
import pyarrow as pa
import structlog
from pyiceberg.expressions import EqualTo

from lakepulse.data_dir import open_data_dir
from lakepulse.locks import lock
from lakepulse.logs import HIDDEN, secrets_of
from lakepulse.names import RUNS
from lakepulse.outcome import one_line
from lakepulse.reports import StepReport, read_reports
from lakepulse.settings import Settings
from lakepulse.store import open_store
from lakepulse_dbt.steps import reported
from lakepulse_dbt.warehouse import RUNS_SCHEMA, open_catalog

log = structlog.get_logger()

_STEP = "record"
_OPS_LOCK = "ops"
_WEBHOOK_SECONDS = 10


def record(settings: Settings, outcome: str | None, failed_step: str | None, message: str | None) -> None:
    """Write the run's row from its step reports; a run that is recorded again replaces its row.

    `outcome` is what the workflow engine says (`Succeeded`, `succeeded`, anything else: failed).
    Without it the reports decide, and a run without a report failed.

    Raises:
        TemporaryError: another run held the lock for too long, or the catalog did not answer.
    """
    open_data_dir(settings)
    # Not its own: recorded again, the run would differ.
    reports = [report for report in read_reports(open_store(settings), settings.run_id) if report.step != _STEP]
    row = run_row(settings, reports, outcome, failed_step, message)
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
    _notify(settings, row)


def run_row(
    settings: Settings, reports: list[StepReport], outcome: str | None, failed_step: str | None, message: str | None
) -> dict[str, Any]:
    """The run's row, as `RUNS_SCHEMA` has it."""
    failed = next((report for report in reversed(reports) if report.outcome == "failed"), None)
    succeeded = outcome.casefold() == "succeeded" if outcome else bool(reports) and failed is None
    now = datetime.now(UTC)
    if succeeded:
        failed_step = message = None
    else:
        failed_step = failed_step or (failed.step if failed else None)
        message = message or (failed.message if failed else None)
    return {
        "run_id": settings.run_id,
        "pipeline": settings.pipeline,
        "is_demo": settings.demo,
        "as_of": settings.as_of,
        "started_at": min((report.started_at for report in reports), default=now),
        "ended_at": max((report.ended_at for report in reports), default=now),
        "outcome": "succeeded" if succeeded else "failed",
        "failed_step": failed_step,
        "message": _hidden(settings, one_line(message)) if message else None,
        "steps": _hidden(settings, json.dumps([report.model_dump(mode="json") for report in reports])),
    }


def _hidden(settings: Settings, text: str) -> str:
    """The text without secrets: a failure elsewhere may have quoted one."""
    return reduce(lambda hidden, secret: hidden.replace(secret, HIDDEN), secrets_of(settings), text)


def message(row: dict[str, Any]) -> dict[str, Any]:
    """The webhook's JSON: the run's row, its steps, what `load` held back, the alerts that `publish` found, and a line.

    The line is `text`, which chats show; they refuse a message without one.
    """
    body = {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}
    body["steps"] = steps = json.loads(row["steps"])
    body["alerts"] = [alert for step in steps for alert in step["details"].get("alerts", [])]
    body["unchecked"] = [rule for step in steps for rule in step["details"].get("unchecked", [])]
    body["held_back"] = [refusal for step in steps for refusal in step["details"].get("held_back", [])]
    body["alerts_error"] = next((error for step in steps if (error := step["details"].get("alerts_error"))), None)
    return {"text": _line(body)} | body


def _line(body: dict[str, Any]) -> str:
    demo = " (demo data)" if body["is_demo"] else ""
    step = f" in {body['failed_step']}" if body["failed_step"] else ""
    why = f": {body['message']}" if body["message"] else ""
    line = f"lakepulse{demo}: {body['pipeline']} as of {body['as_of']} {body['outcome']}{step}{why}"
    if body["alerts_error"]:
        line += f" · alert rules not checked: {body['alerts_error']}"
    held_back = [
        f"held back: {refusal['source']} {refusal['scope']}: {refusal['what']}; {refusal['what_to_do']}"
        for refusal in body["held_back"]
    ]
    return one_line(" · ".join([line, *held_back, *(alert["message"] for alert in body["alerts"])]))


def _notify(settings: Settings, row: dict[str, Any]) -> None:
    """Post the outcome. A webhook must not decide whether a run succeeded, so a failure is one warning."""
    if settings.webhook_url is None:
        return
    try:
        # A redirect could carry the outcome, and the secret in the path, elsewhere.
        answer = httpx.post(
            settings.webhook_url.get_secret_value(), json=message(row), timeout=_WEBHOOK_SECONDS, follow_redirects=False
        )
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
        # A proxy of the environment may be one that httpx cannot use.
        # Its text may hold the address, which is a secret.
        log.warning("the webhook could not be reached", reason=type(error).__name__)
    else:
        if not answer.is_success:
            log.warning("the webhook refused the outcome", status=answer.status_code)
