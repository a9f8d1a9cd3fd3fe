"""The dead-man's signal: a message when runs have not succeeded for too long, or when nobody can tell.

`record` reports what runs. This reports that nothing does: a schedule that is suspended, a workflow engine that is gone,
a store that is down. It therefore does not run in a pipeline.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pyiceberg.expressions import And, EqualTo

from lakepulse.data_dir import look_into_data_dir
from lakepulse.names import RUNS
from lakepulse.outcome import PermanentError, StepError, one_line
from lakepulse.settings import Settings
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog
from lakepulse_dbt.webhook import post

log = structlog.get_logger()


def watch(settings: Settings, hours: float, now: datetime | None = None) -> None:
    """Look for a run of `settings.pipeline` that succeeded within `hours`, and post to the webhook if there is none.

    Args:
        settings: of this machine or cluster.
        hours: for a daily pipeline a day and the time that a run may take.
        now: UTC; the present by default.

    Raises:
        PermanentError: no run succeeded within the time, or the lake cannot be used.
        TemporaryError: the store or the catalog did not answer.
    """
    now = now or datetime.now(UTC)
    try:
        with catalog_errors():
            look_into_data_dir(settings)
            last = _last_success(settings)
    except StepError as error:
        post(settings, _message(settings, f"cannot tell whether runs succeed: {one_line(error)}", None))
        raise
    if last is not None and now - last["ended_at"] <= timedelta(hours=hours):
        log.info("a run succeeded in time", run_id=last["run_id"], ended_at=last["ended_at"].isoformat())
        return
    line = f"no run of {settings.pipeline} has succeeded in {hours:g} h"
    line += f": the last was {last['run_id']}, {last['ended_at']:%Y-%m-%d %H:%M} UTC" if last else ", or ever"
    post(settings, _message(settings, line, last))
    raise PermanentError(f"{line}; make status shows what runs, and when")


def _last_success(settings: Settings) -> dict[str, Any] | None:
    """Run and time of the last success."""
    chosen = And(EqualTo("pipeline", settings.pipeline), EqualTo("outcome", "succeeded"))  # type: ignore[call-arg, misc]
    rows = open_catalog(settings).load_table(RUNS).scan(chosen, selected_fields=("run_id", "ended_at")).to_arrow().to_pylist()
    return max(rows, key=lambda row: row["ended_at"], default=None)


def _message(settings: Settings, line: str, last: dict[str, Any] | None) -> dict[str, Any]:
    """The webhook's JSON; `text` is what chats show."""
    demo = " (demo data)" if settings.demo else ""
    return {
        "text": f"lakepulse{demo}: {line}",
        "event": "no_success",
        "pipeline": settings.pipeline,
        "last_run_id": last["run_id"] if last else None,
        "last_success": last["ended_at"].isoformat() if last else None,
    }
