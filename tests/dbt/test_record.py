"""The row of a run, and what the webhook gets."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from lakepulse.outcome import PermanentError
from lakepulse.reports import StepReport, write_report
from lakepulse.store import open_store
from lakepulse_dbt.record import Ending, record
from lakepulse_dbt.steps import catalog_errors
from tests.dbt.conftest import Webhook
from tests.dbt.lake import Lake

START = datetime(2024, 3, 10, 6, tzinfo=UTC)


def report(lake: Lake, step: str, minutes: int, message: str | None = None) -> None:
    """A step that took a minute, beginning `minutes` after the run's start; with a message it failed."""
    began = START + timedelta(minutes=minutes)
    entry = StepReport(
        run_id=lake.run_id,
        step=step,
        outcome="failed" if message else "succeeded",
        started_at=began,
        ended_at=began + timedelta(minutes=1),
        rows=7,
        message=message,
    )
    write_report(open_store(lake.settings()), entry)


def runs(lake: Lake) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lake.catalog().load_table("ops.runs").scan().to_arrow().to_pylist()
    return rows


def test_a_run_is_recorded_once_however_often_it_is_reported(lake: Lake) -> None:
    report(lake, "load", 5)
    report(lake, "fetch", 0)
    record(lake.settings(), Ending("Succeeded"))
    before = lake.catalog().load_table("ops.runs").metadata_location
    lake.step("record", "--outcome", "Succeeded")
    assert lake.catalog().load_table("ops.runs").metadata_location == before
    (row,) = runs(lake)
    assert (row["run_id"], row["pipeline"], row["outcome"], row["failed_step"]) == ("run-1", "daily", "succeeded", None)
    assert (row["started_at"], row["ended_at"]) == (START, START + timedelta(minutes=6))
    assert [(step["step"], step["rows"]) for step in json.loads(row["steps"])] == [("fetch", 7), ("load", 7)]


def test_a_retried_run_replaces_its_row_and_no_other(lake: Lake) -> None:
    report(lake, "fetch", 0, "no network")
    record(lake.settings(), Ending("failed"))
    lake.run_id = "run-2"
    report(lake, "fetch", 9)
    record(lake.settings(), Ending("succeeded"))
    lake.run_id = "run-1"
    report(lake, "fetch", 10)
    record(lake.settings(), Ending("succeeded"))
    assert {row["run_id"]: (row["outcome"], row["message"]) for row in runs(lake)} == {
        "run-1": ("succeeded", None),
        "run-2": ("succeeded", None),
    }


def test_a_failed_run_says_what_failed_and_why(lake: Lake) -> None:
    report(lake, "fetch", 0)
    report(lake, "load", 2, "audit: keys are not unique")
    record(lake.settings(), Ending())
    (row,) = runs(lake)
    assert (row["outcome"], row["failed_step"], row["message"]) == ("failed", "load", "audit: keys are not unique")


def test_a_run_that_died_without_a_report_is_a_failed_run(lake: Lake) -> None:
    lake.step("record", OUTCOME="Error", FAILED_STEP="fetch", MESSAGE="killed by\nsignal 9")
    lake.step("record", OUTCOME="Error", FAILED_STEP="fetch", MESSAGE="killed by\nsignal 9")
    (row,) = runs(lake)
    assert (row["outcome"], row["failed_step"], row["message"]) == ("failed", "fetch", "killed by signal 9")
    assert row["steps"] == "[]"


def test_a_secret_in_a_message_is_not_kept(lake: Lake) -> None:
    report(lake, "fetch", 0, "401 for token ghp_s3cret")
    lake.extra["GITHUB_TOKEN"] = "ghp_s3cret"
    record(lake.settings(), Ending("failed"))
    (row,) = runs(lake)
    assert row["message"] == "401 for token [hidden]"
    assert "s3cret" not in row["steps"]


def test_a_statements_parameters_are_not_in_the_line(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (a)")
    engine = create_engine(f"sqlite:///{path.as_uri()}?mode=ro&uri=true")
    with pytest.raises(PermanentError, match="not writable") as raised, catalog_errors(), engine.connect() as connection:
        connection.execute(text("insert into t values (:secret)"), {"secret": "s3cret"})
    assert "s3cret" not in str(raised.value)


def test_the_webhook_gets_the_outcome(lake: Lake, webhook: Webhook) -> None:
    report(lake, "fetch", 0, "no network")
    lake.step("record", WEBHOOK_URL=f"http://127.0.0.1:{webhook.server_port}/hook/s3cret")
    ((path, body),) = webhook.received
    assert path == "/hook/s3cret"
    assert (body["run_id"], body["outcome"], body["failed_step"], body["message"]) == ("run-1", "failed", "fetch", "no network")
    assert body["text"] == "lakepulse (demo data): daily as of 2024-03-10 failed in fetch: no network"
    assert (body["as_of"], body["started_at"]) == ("2024-03-10", START.isoformat())
    assert [step["step"] for step in body["steps"]] == ["fetch"]


def test_where_the_store_is_down_the_webhook_is_told(lake: Lake, webhook: Webhook) -> None:
    away = {"LAKE_URL": "s3://lake/daily-t4032", "S3_ENDPOINT": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "a"}
    hook = {"WEBHOOK_URL": f"http://127.0.0.1:{webhook.server_port}/hook"}
    done = lake.step("record", OUTCOME="Failed", FAILED_STEP="load", **away, **hook, AWS_SECRET_ACCESS_KEY="s3cret", check=75)
    ((_, body),) = webhook.received
    assert (body["outcome"], body["failed_step"], body["steps"]) == ("failed", "load", [])
    assert "failed in load · not recorded: the object store did not answer (" in body["text"]
    assert done.stderr.splitlines()[-1].startswith("error: the object store did not answer")


def test_what_the_engine_says_counts_where_no_step_says_why(lake: Lake) -> None:
    stopped = Ending("Failed", "load", engine_message="workflow shutdown with strategy:  Stop")
    record(lake.settings(), stopped)
    assert runs(lake)[0]["message"] == "workflow shutdown with strategy: Stop"
    record(lake.settings(), Ending("Failed"))
    assert runs(lake)[0]["message"] == "no step reported why: the run was ended from outside"
    report(lake, "load", 2, "audit: keys are not unique")
    record(lake.settings(), stopped)
    assert runs(lake)[0]["message"] == "audit: keys are not unique"


@pytest.mark.parametrize(
    ("address", "status", "warning"),
    [
        ("http://127.0.0.1:{port}/hook/s3cret", 500, "event='the webhook refused the message' status=500"),
        ("http://127.0.0.1:{port}/hook/s3cret", 307, "event='the webhook refused the message' status=307"),
        ("http://127.0.0.1:1/hook/s3cret", 204, "event='the webhook could not be reached' reason='ConnectError'"),
        ("http://127.0.0.1:no/hook/s3cret", 204, "event='the webhook could not be reached' reason='InvalidURL'"),
        ("s3cret", 204, "event='the webhook could not be reached' reason='UnsupportedProtocol'"),
    ],
)
def test_a_webhook_that_fails_is_one_warning_without_its_address(
    lake: Lake, webhook: Webhook, address: str, status: int, warning: str
) -> None:
    webhook.status = status
    done = lake.step("record", "--outcome", "succeeded", WEBHOOK_URL=address.format(port=webhook.server_port))
    (line,) = [line for line in done.stderr.splitlines() if "warning" in line]
    assert line.endswith(warning)
    assert "s3cret" not in done.stderr
    assert [path for path, _ in webhook.received] == (["/hook/s3cret"] if "{port}" in address else [])
    assert len(runs(lake)) == 1
