"""Step reports: what each step of a run did, for the run's record and its printed summary.

A report is a small JSON object at `runs/<run_id>/<step>.json` in the store.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import obstore
from pydantic import BaseModel, ConfigDict

from lakepulse.store import Store

TRACES = ("runs", "logs", "argo")
"""Folders of the store with the traces of a run: its step reports, its logs on one machine and those of Argo's steps."""


class StepReport(BaseModel):
    """How a step ended. Times are UTC; `details` is JSON-serialisable and meant for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    run_id: str
    step: str
    outcome: Literal["succeeded", "failed"]
    started_at: datetime
    ended_at: datetime
    rows: int | None = None
    requests: int | None = None
    quota: int | None = None
    message: str | None = None
    details: dict[str, Any] = {}

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()


def write_report(store: Store, report: StepReport) -> None:
    """Store a report; that of an earlier attempt at the same step is replaced."""
    obstore.put(store, f"runs/{report.run_id}/{report.step}.json", report.model_dump_json().encode())


def read_reports(store: Store, run_id: str) -> list[StepReport]:
    """The reports of a run in the order in which the steps started; none if nothing ran."""
    reports = [
        StepReport.model_validate_json(bytes(obstore.get(store, entry["path"]).bytes()))
        for batch in obstore.list(store, prefix=f"runs/{run_id}")
        for entry in batch
    ]
    return sorted(reports, key=lambda report: (report.started_at, report.step))
