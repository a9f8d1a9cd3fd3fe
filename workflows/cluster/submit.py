"""`lakepulse submit`: runs a pipeline on the cluster and watches it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import humanize
import kr8s
from rich.console import Console

from k8s.access import chosen_context, connection
from k8s.cluster import NAMESPACE
from lakepulse.outcome import PERMANENT, PermanentError, TemporaryError
from workflows.argo import object_name, workflow_template
from workflows.cluster.runs import ENDED, Document, Run, Workflow, WorkflowTemplate, time_of
from workflows.pipelines import Pipeline

_EVERY_SECONDS = 2
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
            WorkflowTemplate({"metadata": {"name": template, "namespace": NAMESPACE}}, api=api).refresh()
        except kr8s.NotFoundError:
            raise PermanentError(f"the cluster {context} has no pipeline {template}; run make cluster") from None
        created = Workflow(document(pipeline, parameters), api=api)
        created.create()
    name = created.name
    print(f"submitted {name}", flush=True)
    try:
        run = _watch(context, name)
    except KeyboardInterrupt:
        print(f"{name} goes on; make status shows how it ends", file=sys.stderr)
        return 130
    except TemporaryError as error:
        raise TemporaryError(f"{error} {name} goes on; make status shows how it ends") from error
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
        chosen[name] = value
    return chosen


def document(pipeline: Pipeline, parameters: Mapping[str, str]) -> Document:
    """A workflow that runs the pipeline's template; the cluster completes its name."""
    return {
        "apiVersion": Workflow.version,
        "kind": Workflow.kind,
        "metadata": {"generateName": f"{object_name(pipeline)}-", "namespace": NAMESPACE},
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
    answered = time.monotonic()
    with ExitStack() as stack:
        if console.is_terminal:
            stack.enter_context(console.status(name))
        while True:
            try:
                with connection(context) as api:
                    workflow = Workflow({"metadata": {"name": name, "namespace": NAMESPACE}}, api=api)
                    while True:
                        workflow.refresh()
                        answered = time.monotonic()
                        found = workflow.to_dict()
                        for line in _lines(found):
                            if line not in printed:
                                printed.add(line)
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


def _lines(workflow: Document) -> Iterator[str]:
    """What there is to say of the steps so far: which waited, started and ended, in that order for each."""
    nodes = ((workflow.get("status") or {}).get("nodes") or {}).values()
    for node in sorted(nodes, key=lambda node: node.get("startedAt") or ""):
        # Its path within the workflow, in which the first of several attempts ends in `(0)`.
        path = node["name"].removeprefix(f"{workflow['metadata']['name']}.").removesuffix("(0)")
        if waiting := (node.get("synchronizationStatus") or {}).get("waiting"):
            yield f"{path:<32}  waiting for {waiting}"
        if node.get("type") != "Pod" or node.get("phase") not in ENDED | {"Running"}:
            continue
        yield f"{path:<32}  started"
        started, ended = time_of(node.get("startedAt")), time_of(node.get("finishedAt"))
        if node["phase"] in ENDED and started and ended:
            yield f"{path:<32}  {node['phase'].lower()} after {humanize.precisedelta(ended - started, format='%0.0f')}"
