"""Argo's objects, and a workflow as people see it: a run with its outcome and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import kr8s
from kr8s.objects import Pod, new_class

from k8s.access import SECONDS
from lakepulse.outcome import one_line
from workflows.pipelines import RECORD

Document = dict[str, Any]

_ARGO = "argoproj.io/v1alpha1"
Workflow = new_class("Workflow", _ARGO)
WorkflowTemplate = new_class("WorkflowTemplate", _ARGO)
CronWorkflow = new_class("CronWorkflow", _ARGO)

FAILED = frozenset({"Failed", "Error"})
ENDED = FAILED | {"Succeeded"}


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow as the status shows it; `trouble` says which step failed and why."""

    name: str
    pipeline: str
    phase: str
    started: datetime | None
    ended: datetime | None
    trouble: str

    @classmethod
    def of(cls, api: kr8s.Api, workflow: Document) -> Run:
        """The run of a workflow; the failed step's log says why, while its pod exists."""
        found = workflow.get("status") or {}
        phase = found.get("phase") or "Pending"
        return cls(
            name=workflow["metadata"]["name"],
            pipeline=(workflow["spec"].get("workflowTemplateRef") or {}).get("name", ""),
            phase=phase,
            started=time_of(found.get("startedAt")) or time_of(workflow["metadata"].get("creationTimestamp")),
            ended=time_of(found.get("finishedAt")),
            trouble=_blame(api, workflow) if phase in FAILED else one_line(found.get("message") or ""),
        )


def time_of(text: str | None) -> datetime | None:
    """A time as Kubernetes writes it, aware."""
    return datetime.fromisoformat(text) if text else None


def _blame(api: kr8s.Api, workflow: Document) -> str:
    """The step that failed last and its own error line, or Argo's message."""
    found = workflow["status"]
    failed = [
        node
        for node in (found.get("nodes") or {}).values()
        if node.get("type") == "Pod" and node.get("phase") in FAILED and node.get("templateName") != RECORD.name
    ]
    if not failed:
        return one_line(found.get("message") or "")
    last = max(failed, key=lambda node: node.get("finishedAt") or "")
    # Argo names a pod by workflow, template and the end of the node's id.
    pod = f"{workflow['metadata']['name']}-{last['templateName']}-{last['id'].rsplit('-', 1)[-1]}"
    said = _error_line(api, pod) or last.get("message") or ""
    return f"{last['templateName']}: {one_line(said)}"


def _error_line(api: kr8s.Api, name: str) -> str | None:
    """The step's last `error: ` line, else the last line of its own."""
    pod = Pod({"metadata": {"name": name, "namespace": api.namespace}}, api=api)
    try:
        log = list(pod.logs(container="main", tail_lines=50, timeout=SECONDS))
    except kr8s.ServerError:
        return None  # the pod was deleted, or never ran
    own = [line for line in log if line.strip() and "argo=true" not in line and not line.startswith("Error: exit ")]
    errors = [line.removeprefix("error: ") for line in own if line.startswith("error: ")]
    return next(reversed(errors or own), None)
