"""Runs pipelines on the cluster and says how it is doing: `submit` and `status`.

The cluster is the kind cluster of `make cluster`, or whatever context KUBE_CONTEXT names.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import kubernetes
import trino
import urllib3
from cronsim import CronSim, CronSimError
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lakepulse.names import CATALOG, GOLD
from lakepulse.outcome import PERMANENT, PermanentError, TemporaryError, one_line
from workflows.argo import NAMESPACE, object_name, workflow_template
from workflows.pipelines import RECORD, Pipeline

_TOOLS = {
    "argo": "https://github.com/argoproj/argo-workflows/releases/tag/v4.1.2",
    "kubectl": "https://kubernetes.io/docs/tasks/tools",
}
_ARGO_API = ("argoproj.io", "v1alpha1", NAMESPACE)
_SECONDS = 10
_RUNS = 10

_FAILED = {"Failed", "Error"}

# A container waits for these for a moment whenever a pod starts.
_STARTING = {"ContainerCreating", "PodInitializing"}

Document = dict[str, Any]


def _context() -> str:
    return os.environ.get("KUBE_CONTEXT") or f"kind-{os.environ.get('CLUSTER_NAME') or 'lakepulse'}"


def _require(tool: str) -> str:
    """Path of a tool.

    Raises:
        PermanentError: it is not installed; the message says where to get it.
    """
    found = shutil.which(tool)
    if found is None:
        raise PermanentError(f"{tool} is not installed; get it from {_TOOLS[tool]}")
    return found


@contextmanager
def _connection(context: str) -> Iterator[kubernetes.client.ApiClient]:
    """A client of the cluster.

    Raises:
        PermanentError: the context is unknown, or Argo is not installed there.
        TemporaryError: the cluster does not answer.
    """
    try:
        client = kubernetes.config.new_client_from_config(context=context)  # type: ignore[no-untyped-call]
    except kubernetes.config.ConfigException:
        raise PermanentError(
            f"no cluster: your kubeconfig has no context {context}; run make cluster, or name another one by KUBE_CONTEXT"
        ) from None
    client.configuration.retries = False
    try:
        with client:
            yield client
    except kubernetes.client.ApiException as error:
        if error.status == 404:
            raise PermanentError(f"Argo or its objects are not on the cluster {context}; run make cluster") from error
        raise TemporaryError(f"the cluster {context} refused: {error.status} {error.reason}") from error
    except urllib3.exceptions.HTTPError as error:
        raise TemporaryError(f"the cluster {context} does not answer ({one_line(error)[:200]}); is it running?") from error


# --- submit


def submit(pipeline: Pipeline, given: Sequence[str]) -> int:
    """Submit a pipeline with parameters `name=value`, watch it, and return its exit code (0 or 1).

    Ctrl-C ends the watching alone.

    Raises:
        PermanentError: argo or the cluster is missing, or a parameter is not one of the pipeline's.
        TemporaryError: the cluster does not answer.
    """
    argo = _require("argo")
    parameters = _parameters(pipeline, given)
    context = _context()
    template = object_name(pipeline)
    base = ["--context", context, "--namespace", NAMESPACE]
    with _connection(context) as client:
        workflows: Any = kubernetes.client.CustomObjectsApi(client)
        workflows.get_namespaced_custom_object(*_ARGO_API, "workflowtemplates", template, _request_timeout=_SECONDS)
        command = [argo, "submit", *base, "--from", f"workflowtemplate/{template}", "--output", "name"]
        for parameter in parameters:
            command += ["--parameter", parameter]
        submitted = subprocess.run(command, capture_output=True, text=True, check=False)
        if submitted.returncode:
            raise PermanentError(f"argo refused {template}: {one_line(submitted.stderr)}")
        name = submitted.stdout.strip()
        print(f"submitted {name}", flush=True)
        # A terminal gets the tree of steps; a log would get it again and again.
        follow = "watch" if sys.stdout.isatty() else "wait"
        try:
            subprocess.run([argo, follow, *base, name], check=False)
        except KeyboardInterrupt:
            print(f"{name} goes on without you; make status tells how it ended", file=sys.stderr)
            return 130
        ended = workflows.get_namespaced_custom_object(*_ARGO_API, "workflows", name, _request_timeout=_SECONDS)
        run = _run(client, ended)
    if run.phase == "Succeeded":
        return 0
    print(f"error: {name} ended as {run.phase}: {run.trouble or 'no reason given'}", file=sys.stderr)
    return PERMANENT


def _parameters(pipeline: Pipeline, given: Sequence[str]) -> list[str]:
    arguments = workflow_template(pipeline).to_dict()["spec"]["arguments"]["parameters"]
    known = [parameter["name"] for parameter in arguments]
    for parameter in given:
        name, equals, _ = parameter.partition("=")
        if not equals or name not in known:
            raise PermanentError(
                f"{parameter!r} is not a parameter of {pipeline.name}; give NAME=VALUE with {', '.join(known)}"
            )
    return list(given)


# --- status


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow as the status shows it; `trouble` says which step failed and why."""

    name: str
    pipeline: str
    phase: str
    started: datetime | None
    ended: datetime | None
    trouble: str


def _run(client: kubernetes.client.ApiClient, workflow: Document) -> Run:
    found = workflow.get("status") or {}
    phase = found.get("phase") or "Pending"
    return Run(
        name=workflow["metadata"]["name"],
        pipeline=(workflow["spec"].get("workflowTemplateRef") or {}).get("name", ""),
        phase=phase,
        started=_time(found.get("startedAt")) or _time(workflow["metadata"].get("creationTimestamp")),
        ended=_time(found.get("finishedAt")),
        trouble=_blame(client, workflow) if phase in _FAILED else one_line(found.get("message") or ""),
    )


def _blame(client: kubernetes.client.ApiClient, workflow: Document) -> str:
    """The step that failed last and its own error line, or what Argo says of it."""
    found = workflow["status"]
    failed = [
        node
        for node in (found.get("nodes") or {}).values()
        if node.get("type") == "Pod" and node.get("phase") in _FAILED and node.get("templateName") != RECORD.name
    ]
    if not failed:
        return one_line(found.get("message") or "")
    last = max(failed, key=lambda node: node.get("finishedAt") or "")
    # Argo names a pod by workflow, template and the end of the node's id.
    pod = f"{workflow['metadata']['name']}-{last['templateName']}-{last['id'].rsplit('-', 1)[-1]}"
    said = _error_line(client, pod) or last.get("message") or ""
    return f"{last['templateName']}: {one_line(said)}"


def _error_line(client: kubernetes.client.ApiClient, pod: str) -> str | None:
    """The step's last `error: ` line, else the last thing that it said."""
    core: Any = kubernetes.client.CoreV1Api(client)
    try:
        log = core.read_namespaced_pod_log(
            pod, NAMESPACE, container="main", tail_lines=50, _request_timeout=_SECONDS, _preload_content=False
        ).data.decode(errors="replace")
    except kubernetes.client.ApiException:
        return None  # the pod is gone, or never ran
    own = [
        line for line in log.splitlines() if line.strip() and "argo=true" not in line and not line.startswith("Error: exit ")
    ]
    errors = [line.removeprefix("error: ") for line in own if line.startswith("error: ")]
    return next(reversed(errors or own), None)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def status() -> None:
    """Print last runs, next times of the schedules, freshness and pods in trouble.

    Raises:
        PermanentError: kubectl or the cluster is missing.
        TemporaryError: the cluster does not answer.
    """
    _require("kubectl")
    context = _context()
    with _connection(context) as client:
        # Untyped JSON is all that it returns.
        objects: Any = kubernetes.client.CustomObjectsApi(client)

        def listed(plural: str) -> list[Document]:
            found = objects.list_namespaced_custom_object(*_ARGO_API, plural, _request_timeout=_SECONDS)
            items: list[Document] = found["items"]
            return items

        workflows = sorted(listed("workflows"), key=lambda found: found["metadata"]["creationTimestamp"], reverse=True)
        runs = [_run(client, workflow) for workflow in workflows[:_RUNS]]
        schedules = listed("cronworkflows")
        core: Any = kubernetes.client.CoreV1Api(client)
        answer = core.list_namespaced_pod(NAMESPACE, _request_timeout=_SECONDS, _preload_content=False)
        pods = json.loads(answer.data)["items"]
    now = datetime.now(UTC)
    Console().print(
        Group(
            Text(f"cluster {context}, namespace {NAMESPACE}, {now:%Y-%m-%d %H:%M} UTC", style="bold"),
            runs_table(runs, now),
            schedules_table(schedules, now),
            freshness_table(context, now),
            pods_table(pods, now),
        )
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _note(title: str, text: str, style: str = "") -> Group:
    return Group(Text(title, "bold"), Text(text, style))


def runs_table(runs: Sequence[Run], now: datetime) -> RenderableType:
    """The newest runs, the last made first."""
    if not runs:
        return _note("\nLast runs", "none yet: make submit PIPELINE=daily")
    table = _table("\nLast runs", "run", "pipeline", "outcome", "started", "took", "trouble")
    for run in runs:
        style = {"Succeeded": "green", "Running": "cyan", "Pending": "yellow"}.get(run.phase, "red")
        took = _span((run.ended or now) - run.started) if run.started else "-"
        started = _ago(run.started, now) if run.started else "-"
        table.add_row(run.name, run.pipeline, Text(run.phase, style), started, took, Text(run.trouble[:200]))
    return table


def schedules_table(schedules: Sequence[Document], now: datetime) -> RenderableType:
    """Every schedule, the next to fire first."""
    if not schedules:
        return _note("\nSchedules", "none: make cluster applies them")
    table = _table("\nSchedules (UTC)", "pipeline", "next", "last", "schedule")
    rows = []
    for cron in schedules:
        spec = cron["spec"]
        last = _time((cron.get("status") or {}).get("lastScheduledTime"))
        times = [] if spec.get("suspend") else [time for text in spec["schedules"] if (time := _next(text, now))]
        following = min(times, default=None)
        told = (
            "suspended"
            if spec.get("suspend")
            else f"{following:%a %d %b %H:%M}, in {_span(following - now)}"
            if following
            else "never"
        )
        rows.append(
            (following or datetime.max.replace(tzinfo=UTC), cron["metadata"]["name"], told, last, ", ".join(spec["schedules"]))
        )
    for _, name, told, last, schedule in sorted(rows):
        table.add_row(name, told, _ago(last, now) if last else "never", schedule)
    return table


def _next(schedule: str, now: datetime) -> datetime | None:
    try:
        return next(CronSim(schedule, now))
    except (CronSimError, StopIteration):
        return None


def freshness_table(context: str, now: datetime) -> RenderableType:
    """The newest publication, and the age of what was fetched by source."""
    try:
        published, sources = _freshness(context)
    except (TemporaryError, PermanentError) as error:
        return _note("\nFreshness", f"unknown: {error}", "yellow")
    if published is None:
        return _note("\nFreshness", "nothing is published yet")
    run_id, as_of, published_at = published
    title = f"\nFreshness (published {_ago(published_at, now)} by {run_id}, as of {as_of})"
    table = _table(title, "source", "scopes", "oldest fetch", "stale")
    for source, scopes, oldest, stale in sources:
        # Gold's timestamps are UTC without saying so.
        fetched = _ago(oldest.replace(tzinfo=UTC), now) if oldest else "never"
        table.add_row(source, str(scopes), fetched, Text(str(stale), "red" if stale else ""))
    return table


_Published = tuple[str, Any, datetime]


def _freshness(context: str) -> tuple[_Published | None, list[tuple[str, int, datetime | None, int]]]:
    """The newest publication, and per source: scopes, oldest fetch, stale scopes.

    Raises:
        TemporaryError: Trino does not answer.
    """
    with _forwarded(context, "trino", 8080) as port:
        connect: Any = trino.dbapi.connect
        connection = connect(
            host="127.0.0.1", port=port, user="status", catalog=CATALOG, schema=GOLD, request_timeout=_SECONDS, max_attempts=1
        )
        cursor = connection.cursor()
        try:
            cursor.execute(
                "select run_id, as_of, published_at from publications order by as_of desc, published_at desc limit 1"
            )
            newest = cursor.fetchone()
            if newest is None:
                return None, []
            cursor.execute(
                "select source, count(*), min(last_fetched_at), count_if(is_stale) from fct_data_freshness group by 1"
                " order by 1"
            )
            return (newest[0], newest[1], newest[2]), [(row[0], row[1], row[2], row[3]) for row in cursor.fetchall()]
        except trino.exceptions.TrinoUserError as error:
            if error.error_name in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
                return None, []
            raise TemporaryError(f"Trino refused: {one_line(error.message)}") from error
        except (trino.exceptions.Error, OSError) as error:
            raise TemporaryError(f"Trino does not answer ({one_line(error)[:200]})") from error


@contextmanager
def _forwarded(context: str, service: str, port: int) -> Iterator[int]:
    """A local port that leads to a service.

    Raises:
        TemporaryError: it cannot be had.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        local: int = probe.getsockname()[1]
    command = [_require("kubectl"), "--context", context, "--namespace", NAMESPACE, "port-forward", "--address", "127.0.0.1"]
    with subprocess.Popen(
        [*command, f"service/{service}", f"{local}:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as forward:
        try:
            deadline = time.monotonic() + _SECONDS
            while True:
                if forward.poll() is not None:
                    said = forward.stderr.read() if forward.stderr else ""
                    raise TemporaryError(f"no way to the service {service}: {one_line(said)}")
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", local)) == 0:
                        break
                if time.monotonic() >= deadline:
                    raise TemporaryError(f"no way to the service {service} in {_SECONDS} s")
                time.sleep(0.1)
            yield local
        finally:
            forward.terminate()


def pods_table(pods: Sequence[Document], now: datetime) -> RenderableType:
    """Pods that do not do what they should, and why. What ended steps left behind is told by their run."""
    table = _table("\nPods in trouble", "pod", "since", "why")
    for pod in pods:
        labels = pod["metadata"].get("labels") or {}
        # An executor that ended has done so with its driver, whose run tells why.
        is_over = labels.get("workflows.argoproj.io/completed") == "true" or (
            labels.get("spark-role") == "executor" and pod["status"].get("phase") in {"Succeeded", "Failed"}
        )
        why = None if is_over else _pod_trouble(pod)
        if why:
            started = _time(pod["metadata"].get("creationTimestamp"))
            table.add_row(pod["metadata"]["name"], _ago(started, now) if started else "-", Text(why[:200], "red"))
    return table if table.row_count else _note("\nPods in trouble", "none", "green")


def _pod_trouble(pod: Document) -> str | None:
    found = pod.get("status") or {}
    phase = found.get("phase")
    if phase == "Succeeded":
        return None
    for container in (*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ())):
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _STARTING:
            return one_line(f"{container['name']}: {waiting['reason']} {waiting.get('message', '')}")
        ended = state.get("terminated") or {}
        if ended.get("exitCode"):
            return one_line(
                f"{container['name']}: {ended.get('reason', 'Error')}, exit code {ended['exitCode']} {ended.get('message', '')}"
            )
    conditions = {condition["type"]: condition for condition in found.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return one_line(f"{scheduled.get('reason', 'Unschedulable')}: {scheduled.get('message', '')}")
    if phase in {"Failed", "Unknown"}:
        return one_line(f"{phase}: {found.get('reason', '')} {found.get('message', '')}")
    if phase == "Running" and conditions.get("Ready", {}).get("status") == "False":
        return "runs but is not ready"
    return None


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _ago(time: datetime, now: datetime) -> str:
    return f"{_span(now - time)} ago"
