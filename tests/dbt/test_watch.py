"""The dead-man's signal: it speaks when runs do not succeed, and when nobody can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.reports import StepReport, write_report
from lakepulse.store import open_store
from lakepulse_dbt.record import Ending, record
from lakepulse_dbt.watch import watch
from tests.dbt.conftest import Webhook
from tests.dbt.lake import Lake

END = datetime(2024, 3, 10, 6, tzinfo=UTC)


def ran(lake: Lake, run_id: str, outcome: str, ended_at: datetime = END, pipeline: str = "daily") -> None:
    """A run that is recorded."""
    lake.run_id = run_id
    settings = lake.settings().model_copy(update={"pipeline": pipeline})
    step = StepReport(run_id=run_id, step="load", outcome="succeeded", started_at=END - timedelta(hours=9), ended_at=ended_at)
    write_report(open_store(settings), step)
    record(settings, Ending(outcome))


def test_silence_is_reported_after_its_hours_and_not_before(lake: Lake, webhook: Webhook) -> None:
    ran(lake, "daily-1", "succeeded", END - timedelta(days=1))
    ran(lake, "daily-2", "succeeded")
    ran(lake, "daily-3", "failed", END + timedelta(hours=24))
    ran(lake, "issues-1", "succeeded", END + timedelta(hours=25), pipeline="issues")
    lake.extra["WEBHOOK_URL"] = f"http://127.0.0.1:{webhook.server_port}/hook"
    watch(lake.settings(), 26, END + timedelta(hours=26))
    assert webhook.received == []
    line = "no run of daily has succeeded in 26 h: the last was daily-2, 2024-03-10 06:00 UTC"
    with pytest.raises(PermanentError, match=line):
        watch(lake.settings(), 26, END + timedelta(hours=26, seconds=1))
    ((_, body),) = webhook.received
    assert body == {
        "text": f"lakepulse (demo data): {line}",
        "event": "no_success",
        "pipeline": "daily",
        "last_run_id": "daily-2",
        "last_success": END.isoformat(),
    }


def test_a_cluster_on_which_nothing_ever_succeeded_is_reported(lake: Lake, webhook: Webhook) -> None:
    done = lake.step("watch", "--hours", "26", WEBHOOK_URL=f"http://127.0.0.1:{webhook.server_port}/hook", check=1)
    assert done.stderr.splitlines()[-1].startswith("error: no run of daily has succeeded in 26 h, or ever;")
    ((_, body),) = webhook.received
    assert (body["text"].endswith("or ever"), body["last_success"]) == (True, None)


def test_a_store_that_is_down_is_reported(lake: Lake, webhook: Webhook) -> None:
    lake.extra |= {
        "LAKE_URL": "s3://lake",
        "S3_ENDPOINT": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "WEBHOOK_URL": f"http://127.0.0.1:{webhook.server_port}/hook",
    }
    with pytest.raises(TemporaryError, match="the object store did not answer"):
        watch(lake.settings(), 26)
    ((_, body),) = webhook.received
    assert "cannot tell whether runs succeed: the object store did not answer" in body["text"]
