"""`lakepulse submit`: runs a pipeline on the cluster and watches it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import humanize
import kr8s
from kr8s.objects import ConfigMap
from pydantic import ValidationError
from rich.console import Console

from k8s.access import chosen_context, connection
from lakepulse.outcome import PERMANENT, PermanentError, TemporaryError, one_line
from lakepulse.settings import Settings
from workflows.argo import OWN_PARAMETERS, object_name, workflow_template
from workflows.cluster.runs import ENDED, Document, Run, Workflow, WorkflowTemplate, time_of
from workflows.pipelines import PARAMETERS, Pipeline

_EVERY_SECONDS = 2
_SILENCE_SECONDS = 60
"""How long a step may go on without a line, where nobody sees a spinner."""

_PATIENCE_SECONDS = 300
"""How long the cluster may not answer while a run is watched."""


def submit(pipeline: Pipeline, given: Sequence[str]) -> int:
    """Submit a pipeline with parameters `NAME=VALUE`, watch it, and return its exit code (0 or 1).

    Ctrl-C ends the watching alone.

    Raises:
        PermanentError: the cluster or the pipeline's template is missing, or a parameter is not one of the pipeline's.
        TemporaryError: the cluster does not answer.
    """
    parameters = _parameters(pipeline, given)
    context = chosen_context()
    template = object_name(pipeline)
    with connection(context) as api:
        try:
            WorkflowTemplate({"metadata": {"name": template, "namespace": api.namespace}}, api=api).refresh()
        except kr8s.NotFoundError:
            raise PermanentError(f"the cluster {context} has no pipeline {template}; run make cluster") from None
        if projects := parameters.get("projects"):
            try:
                ConfigMap({"metadata": {"name": projects, "namespace": api.namespace}}, api=api).refresh()
            except kr8s.NotFoundError:
                raise PermanentError(f"projects: the cluster {context} has no ConfigMap {projects}") from None
        created = Workflow(document(pipeline, parameters, str(api.namespace)), api=api)
        created.create()
    name = created.name
    print(f"submitted {name}", flush=True)
    try:
        run = _watch(context, name)
    except KeyboardInterrupt:
        print(f"{name} is still running; make status shows how it ends", file=sys.stderr)
        return 130
    except TemporaryError as error:
        raise TemporaryError(f"{error} {name} is still running; make status shows how it ends") from error
    if run.phase == "Succeeded":
        return 0
    print(f"error: {name} ended as {run.phase}: {run.trouble or 'no reason given'}", file=sys.stderr)
    return PERMANENT


def _parameters(pipeline: Pipeline, given: Sequence[str]) -> dict[str, str]:
    arguments = workflow_template(pipeline).to_dict()["spec"]["arguments"]["parameters"]
    known = [parameter["name"] for parameter in arguments]
    chosen: dict[str, str] = {}
    for parameter in given:
        name, equals, value = parameter.partition("=")
        if not equals or name not in known:
            raise PermanentError(
                f"{parameter!r} is not a parameter of {pipeline.name}; give NAME=VALUE with {', '.join(known)}"
            )
        if problem := _problem(name, value):
            raise PermanentError(f"{parameter!r}: {problem}")
        chosen[name] = value
    return chosen


def _problem(name: str, value: str) -> str | None:
    """What is wrong with a parameter's value: what its step would say, minutes later."""
    if name in OWN_PARAMETERS:
        own = OWN_PARAMETERS[name]
        return None if re.fullmatch(own.pattern, value) else f"must be {own.form}"
    field = PARAMETERS[name].variable.lower()
    if not value:
        return None
    try:
        Settings(_env_file=None, **{field: value})  # type: ignore[arg-type]
    except ValidationError as error:
        return next(
            (one_line(each["msg"]).removeprefix("Value error, ") for each in error.errors() if each["loc"] == (field,)), None
        )
    return None


def document(pipeline: Pipeline, parameters: Mapping[str, str], namespace: str) -> Document:
    """A workflow that runs the pipeline's template; the cluster completes its name."""
    return {
        "apiVersion": Workflow.version,
        "kind": Workflow.kind,
        "metadata": {"generateName": f"{object_name(pipeline)}-", "namespace": namespace},
        "spec": {
            "workflowTemplateRef": {"name": object_name(pipeline)},
            "arguments": {"parameters": [{"name": name, "value": value} for name, value in parameters.items()]},
        },
    }


def _watch(context: str, name: str) -> Run:
    """Print a line for each step that starts or ends, until the run has ended.

    Raises:
        PermanentError: the workflow was deleted.
        TemporaryError: the cluster did not answer for minutes.
    """
    console = Console(highlight=False)
    printed: set[str] = set()
    answered = spoke = time.monotonic()
    with ExitStack() as stack:
        if console.is_terminal:
            stack.enter_context(console.status(name))
        while True:
            try:
                with connection(context) as api:
                    workflow = Workflow({"metadata": {"name": name, "namespace": api.namespace}}, api=api)
                    while True:
                        workflow.refresh()
                        answered = time.monotonic()
                        found = workflow.to_dict()
                        for line in _lines(found):
                            if line not in printed:
                                printed.add(line)
                                spoke = answered
                                console.print(line, markup=False, soft_wrap=True)
                        if not console.is_terminal and answered - spoke > _SILENCE_SECONDS:
                            spoke = answered
                            for line in still(found, datetime.now(UTC)):
                                console.print(line, markup=False, soft_wrap=True)
                        if (found.get("status") or {}).get("phase") in ENDED:
                            return Run.of(api, found)
                        time.sleep(_EVERY_SECONDS)
            except kr8s.NotFoundError:
                raise PermanentError(f"{name} was deleted before it ended") from None
            except TemporaryError:
                if time.monotonic() - answered > _PATIENCE_SECONDS:
                    raise
                time.sleep(_EVERY_SECONDS)


def still(workflow: Document, now: datetime) -> Iterator[str]:
    """What has gone on for long, where no spinner shows that anything does."""
    nodes = ((workflow.get("status") or {}).get("nodes") or {}).values()
    at_work = [node for node in nodes if node.get("type") == "Pod" and node.get("phase") not in ENDED]
    for node in at_work:
        started = time_of(node.get("startedAt"))
        phase = (node.get("phase") or "Pending").lower()
        lasts = f" for {humanize.precisedelta(now - started, format='%0.0f')}" if started else ""
        yield f"{_path(workflow, node):<32}  {phase}{lasts}{f': {one_line(why)}' if (why := node.get('message')) else ''}"
    if not at_work:
        yield f"{workflow['metadata']['name']} is waiting for its next step"


def _path(workflow: Document, node: Document) -> str:
    """A node's path within the workflow, in which the first of several attempts ends in `(0)`."""
    return str(node["name"]).removeprefix(f"{workflow['metadata']['name']}.").removesuffix("(0)")


def _lines(workflow: Document) -> Iterator[str]:
    """What there is to say of the steps so far: which waited, started and ended, in that order for each."""
    nodes = ((workflow.get("status") or {}).get("nodes") or {}).values()
    for node in sorted(nodes, key=lambda node: node.get("startedAt") or ""):
        path = _path(workflow, node)
        if waiting := (node.get("synchronizationStatus") or {}).get("waiting"):
            yield f"{path:<32}  waiting for {waiting}"
        if node.get("type") != "Pod" or node.get("phase") not in ENDED | {"Running"}:
            continue
        yield f"{path:<32}  started"
        started, ended = time_of(node.get("startedAt")), time_of(node.get("finishedAt"))
        if node["phase"] in ENDED and started and ended:
            yield f"{path:<32}  {node['phase'].lower()} after {humanize.precisedelta(ended - started, format='%0.0f')}"
