"""Pods in trouble, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import humanize
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lakepulse.outcome import one_line
from workflows.cluster.runs import Document, time_of

_STARTING = {"ContainerCreating", "PodInitializing"}
"""What every container waits for when its pod starts."""

_PATIENCE = timedelta(minutes=10)
"""How long that may last: an image may come over a slow line, a missing volume or secret never comes."""


def table(title: str, *columns: str) -> Table:
    """An empty table in the status' style."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold", expand=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def note(title: str, text: str, style: str = "") -> Group:
    """A title with one line instead of a table."""
    return Group(Text(title, "bold"), Text(text, style))


def ago(time: datetime, now: datetime) -> str:
    return humanize.naturaltime(time, when=now)


def pods_table(pods: Sequence[Document], now: datetime, warnings: Mapping[str, str] | None = None) -> RenderableType:
    """Pods that do not do what they should, and why. Pods of ended steps are left out: their run says why.

    `warnings` maps a pod to the newest warning about it.
    """
    made = table("\nPods in trouble", "pod", "since", "why")
    for pod in pods:
        labels = pod["metadata"].get("labels") or {}
        # An executor ends with its driver, whose run says why.
        is_over = labels.get("workflows.argoproj.io/completed") == "true" or (
            labels.get("spark-role") == "executor" and pod["status"].get("phase") in {"Succeeded", "Failed"}
        )
        why = None if is_over else _trouble(pod, now, (warnings or {}).get(pod["metadata"]["name"], ""))
        if why:
            created = time_of(pod["metadata"].get("creationTimestamp"))
            made.add_row(pod["metadata"]["name"], ago(created, now) if created else "-", Text(why[:200], "red"))
    return made if made.row_count else note("\nPods in trouble", "none", "green")


def _trouble(pod: Document, now: datetime, warning: str) -> str | None:
    found = pod.get("status") or {}
    phase = found.get("phase")
    if phase == "Succeeded":
        return None
    conditions = {condition["type"]: condition for condition in found.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled", {})
    since = time_of(scheduled.get("lastTransitionTime") or pod["metadata"].get("creationTimestamp"))
    is_late = since is not None and now - since > _PATIENCE
    for container in (*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ())):
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        reason = waiting.get("reason")
        if reason and (reason not in _STARTING or is_late):
            return one_line(f"{container['name']}: {reason} {waiting.get('message') or warning}")
        ended = state.get("terminated") or {}
        if ended.get("exitCode"):
            return one_line(
                f"{container['name']}: {ended.get('reason', 'Error')}, exit code {ended['exitCode']} {ended.get('message', '')}"
            )
    if scheduled.get("status") == "False":
        return one_line(f"{scheduled.get('reason', 'Unschedulable')}: {scheduled.get('message', '')}")
    if phase in {"Failed", "Unknown"}:
        return one_line(f"{phase}: {found.get('reason', '')} {found.get('message', '')}")
    if phase == "Running" and conditions.get("Ready", {}).get("status") == "False":
        return f"running but not ready {warning}".strip()
    if phase == "Pending" and is_late:
        return f"pending {warning}".strip()
    return None
