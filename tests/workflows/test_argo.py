"""What is rendered for Argo: as committed, valid, and with every name that it uses made by `k8s/`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import kubernetes_validate
import pytest
import yaml
from hera.workflows.models import CronWorkflow, WorkflowTemplate
from pydantic import BaseModel

from k8s.images import VERSION
from lakepulse.sources import REGISTER
from tests.workflows.rendered import RENDERED, SCHEDULES, TEMPLATES, Document, containers, documents
from workflows import argo
from workflows.pipelines import PIPELINES, RECORD, Pipeline

LOCAL_SOURCES = {entry.name for entry in REGISTER if entry.is_local}

KUBERNETES = "1.34"
EACH_TEMPLATE = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
EACH_PIPELINE = pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)


def test_rendered_files_are_those_of_the_declaration() -> None:
    expected = argo.rendered()
    assert set(argo.RENDERED.glob("*.yaml")) | {argo.KUSTOMIZATION} == set(expected)
    for path, text in expected.items():
        assert documents(path) == list(yaml.safe_load_all(text)), f"{path.name} has drifted; run make render"


def test_write_replaces_what_drifted_and_removes_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argo, "_FOLDER", tmp_path)
    monkeypatch.setattr(argo, "RENDERED", tmp_path / "rendered")
    monkeypatch.setattr(argo, "KUSTOMIZATION", tmp_path / "kustomization.yaml")
    assert len(argo.write()) == len(PIPELINES) + 1
    assert argo.write() == []
    (tmp_path / "rendered" / "daily.yaml").write_text("kind: Nothing\n")
    (tmp_path / "rendered" / "gone.yaml").write_text("kind: Nothing\n")
    assert {path.name for path in argo.write()} == {"daily.yaml", "gone.yaml"}
    assert argo.write() == []
    assert not (tmp_path / "rendered" / "gone.yaml").exists()


def test_each_pipeline_has_a_template_and_each_schedule_a_cron_workflow() -> None:
    assert set(TEMPLATES) == {argo.object_name(pipeline) for pipeline in PIPELINES.values()}
    scheduled = {argo.object_name(pipeline): pipeline.schedule for pipeline in PIPELINES.values() if pipeline.schedule}
    assert {name: cron["spec"]["schedules"] for name, cron in SCHEDULES.items()} == {
        name: [schedule] for name, schedule in scheduled.items()
    }
    for name, cron in SCHEDULES.items():
        assert cron["spec"]["concurrencyPolicy"] == "Forbid"
        assert cron["spec"]["startingDeadlineSeconds"] > 0
        assert cron["spec"]["timezone"] == "Etc/UTC"
        assert cron["spec"]["workflowSpec"] == {"workflowTemplateRef": {"name": name}}


@pytest.mark.parametrize("document", RENDERED, ids=lambda document: f"{document['kind']}-{document['metadata']['name']}")
def test_document_is_what_argo_knows(document: Document) -> None:
    models: dict[str, type[BaseModel]] = {"WorkflowTemplate": WorkflowTemplate, "CronWorkflow": CronWorkflow}
    parsed = models[document["kind"]].model_validate(document)
    # Nothing was dropped on the way, so no field is misspelt.
    assert parsed.model_dump(exclude_none=True, by_alias=True) == document


@EACH_TEMPLATE
def test_pods_are_valid_for_kubernetes(template: Document) -> None:
    for inner in containers(template):
        kubernetes_validate.validate(pod(template, inner), KUBERNETES, strict=True)


def pod(template: Document, inner: Document) -> Document:
    """The pod that Argo makes of a template, without Argo's own containers."""
    account = inner.get("serviceAccountName", template["spec"]["serviceAccountName"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": inner["name"], "labels": inner["metadata"]["labels"]},
        "spec": {
            "containers": [{"name": "main"} | inner["container"]],
            "volumes": inner["volumes"],
            "serviceAccountName": account,
            "securityContext": template["spec"]["securityContext"],
            "activeDeadlineSeconds": inner["activeDeadlineSeconds"],
        },
    }


@EACH_TEMPLATE
def test_pods_keep_to_the_restricted_standard(template: Document) -> None:
    context = template["spec"]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] == 10001
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for inner in containers(template):
        own = inner["container"]["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert all(set(volume) <= {"name", "emptyDir", "configMap"} for volume in inner["volumes"])
        resources = inner["container"]["resources"]
        assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}


@EACH_TEMPLATE
def test_images_are_ours_pinned_and_not_pulled_again(template: Document) -> None:
    for inner in containers(template):
        assert re.fullmatch(rf"lakepulse/(fetch|spark|dbt):{re.escape(VERSION)}", inner["container"]["image"])
        assert inner["container"]["imagePullPolicy"] == "IfNotPresent"
    assert not re.search(r":latest\b", yaml.safe_dump(template))


@EACH_TEMPLATE
def test_secrets_go_to_the_steps_that_need_them_alone(template: Document) -> None:
    allowed = {
        "fetch": {"lakepulse-s3", "lakepulse-github"},
        "load": {"lakepulse-s3", "lakepulse-catalog"},
        "maintain": {"lakepulse-s3", "lakepulse-catalog"},
        "build": {"lakepulse-s3", "lakepulse-catalog"},
        "publish": {"lakepulse-s3", "lakepulse-catalog"},
        "record": {"lakepulse-s3", "lakepulse-catalog", "lakepulse-webhook"},
    }
    for inner in containers(template):
        sources = inner["container"]["envFrom"]
        assert {source["secretRef"]["name"] for source in sources if "secretRef" in source} == allowed[inner["name"]]
        optional = {source["secretRef"]["name"] for source in sources if source.get("secretRef", {}).get("optional")}
        assert optional == allowed[inner["name"]] & {"lakepulse-github", "lakepulse-webhook"}


@EACH_TEMPLATE
def test_templates_and_parameters_that_are_named_exist(template: Document) -> None:
    spec = template["spec"]
    known = {inner["name"]: inner for inner in spec["templates"]}
    assert {spec["entrypoint"], spec["onExit"]} <= set(known)
    parameters = {parameter["name"] for parameter in spec["arguments"]["parameters"]}
    text = yaml.safe_dump(template, width=10**6)
    assert set(re.findall(r"workflow\.parameters\.(\w+)", text)) == parameters
    reached = {spec["entrypoint"], spec["onExit"]}
    for inner in known.values():
        inputs = {parameter["name"] for parameter in inner.get("inputs", {}).get("parameters", [])}
        assert set(re.findall(r"inputs\.parameters\.(\w+)", yaml.safe_dump(inner))) == inputs
        tasks = inner.get("dag", {}).get("tasks", [])
        names = {task["name"] for task in tasks}
        for task in tasks:
            reached.add(task["template"])
            given = {parameter["name"] for parameter in task.get("arguments", {}).get("parameters", [])}
            wanted = {parameter["name"] for parameter in known[task["template"]].get("inputs", {}).get("parameters", [])}
            assert given == wanted
            assert set(re.findall(r"[\w-]+", task.get("depends", ""))) <= names
    assert reached == set(known)


@EACH_PIPELINE
def test_containers_run_the_declared_commands(pipeline: Pipeline) -> None:
    rendered = {inner["name"]: inner["container"] for inner in containers(TEMPLATES[argo.object_name(pipeline)])}
    assert set(rendered) == {step.name for step in (*pipeline.steps, RECORD)}
    ran: dict[str, list[tuple[str, ...]]] = {}
    for step, words, _ in argo.commands(pipeline):
        ran.setdefault(step.name, []).append(tuple(words))
        assert not any("{{" in word for word in words)
    for step in (*pipeline.steps, RECORD):
        if step.parts:
            assert ran[step.name] == [(*step.command[:4], "--sources", ",".join(part.sources)) for part in step.parts]
        else:
            assert ran[step.name] == [step.command]
            assert (*rendered[step.name]["command"], *rendered[step.name]["args"]) == step.command


def test_any_two_workflows_that_ask_github_hold_one_mutex_once_around_their_shards() -> None:
    asking = 0
    for template in TEMPLATES.values():
        inner = template["spec"]["templates"]
        holders = [each for each in inner if {"name": "fetch.github"} in each.get("synchronization", {}).get("mutexes", [])]
        for each in inner:
            for task in each.get("dag", {}).get("tasks", []):
                if "github_" in str(task.get("arguments")):
                    assert holders == [each]  # a second one within would wait for itself
                    asking += 1
    assert asking == 5


def test_a_source_that_reads_local_files_is_on_no_cluster() -> None:
    assert all(source in PIPELINES["downloads"].order[0].command[-1] for source in LOCAL_SOURCES)
    assert not any(source in text for text in argo.rendered().values() for source in LOCAL_SOURCES)


def test_shards_of_a_part_run_side_by_side_under_one_mutex_and_the_semaphore() -> None:
    known = {inner["name"]: inner for inner in TEMPLATES["issues"]["spec"]["templates"]}
    around = known["fetch-github"]
    held = {mutex["name"] for mutex in around["synchronization"]["mutexes"]}
    assert held == {"fetch.github"}
    (task,) = around["dag"]["tasks"]
    assert task["withSequence"] == {"count": "{{workflow.parameters.shards}}"}
    assert "mutexes" not in known["fetch"]["synchronization"]
    (semaphore,) = known["fetch"]["synchronization"]["semaphores"]
    assert semaphore == {"configMapKeyRef": {"name": "lakepulse-semaphores", "key": "fetch"}}
    shards = [environment["SHARD"] for step, _, environment in argo.commands(PIPELINES["issues"], shards=3) if step.parts]
    assert shards == ["0/3", "1/3", "2/3"]


def test_no_other_run_builds_between_build_and_publish() -> None:
    known = {inner["name"]: inner for inner in TEMPLATES["daily"]["spec"]["templates"]}
    both = known["build-publish"]
    assert both["synchronization"] == {"mutexes": [{"name": "gold"}]}
    assert [task["template"] for task in both["dag"]["tasks"]] == ["build", "publish"]
    assert not any("synchronization" in known[name] for name in ("build", "publish"))


@EACH_TEMPLATE
def test_every_step_is_retried_by_the_same_rule(template: Document) -> None:
    for inner in containers(template):
        retry = inner["retryStrategy"]
        assert retry["retryPolicy"] == "Always"
        assert retry["expression"] == argo.RETRY
        assert int(retry["limit"]) >= 1
        assert inner["activeDeadlineSeconds"] <= template["spec"]["activeDeadlineSeconds"]


def is_retried(status: str, exit_code: str, message: str) -> bool:
    """The expression on what Argo gives it, as Python: `matches` searches, and a pod that never ran has exit code -1."""
    text = re.sub(r"([\w.]+) matches ('[^']*')", r"bool(re.search(\2, \1))", argo.RETRY)
    text = text.replace("&&", " and ").replace("||", " or ").replace("!(", " not (")
    last = SimpleNamespace(status=status, exitCode=exit_code, message=message)
    return bool(eval(text, {"re": re, "lastRetry": last}))  # noqa: S307 - our own expression


@pytest.mark.parametrize(
    ("status", "exit_code", "message"),
    [
        ("Failed", "75", "main: Error (exit code 75)"),
        ("Failed", "137", "main: Error (exit code 137)"),
        ("Failed", "143", "Pod was terminated in response to imminent node shutdown."),
        ("Failed", "-1", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi."),
        ("Failed", "-1", "The node was low on resource: ephemeral-storage."),
        ("Failed", "-1", "Preempted in order to admit critical pod"),
        ("Failed", "-1", "Pod was rejected: Node is shutting down, evicting pods"),
        ("Failed", "128", "main: StartError (exit code 128): failed to create containerd task"),
        ("Error", "-1", "pod deleted"),
        ("Error", "0", 'wait: Error (exit code 64): failed to put file: Put "http://minio:9000/x": context deadline exceeded'),
    ],
)
def test_what_another_attempt_may_cure_is_retried(status: str, exit_code: str, message: str) -> None:
    assert is_retried(status, exit_code, message)


@pytest.mark.parametrize(
    ("status", "exit_code", "message"),
    [
        ("Failed", "1", "main: Error (exit code 1)"),
        ("Failed", "137", "main: OOMKilled (exit code 137)"),
        ("Error", "137", "wait: OOMKilled (exit code 137)"),
        ("Failed", "137", "Pod was active on the node longer than the specified deadline"),
        ("Failed", "-1", "Pod was active on the node longer than the specified deadline"),
        ("Failed", "-1", "Step exceeded its deadline"),
        ("Failed", "137", 'Usage of EmptyDir volume "tmp" exceeds the limit "10Gi".'),
        ("Failed", "137", "Pod ephemeral local storage usage exceeds the total limit of containers 10Gi."),
        ("Failed", "137", 'Container main exceeded its local ephemeral storage limit "1Gi".'),
    ],
)
def test_what_the_same_step_would_do_again_is_not_retried(status: str, exit_code: str, message: str) -> None:
    assert not is_retried(status, exit_code, message)


def test_spark_driver_has_an_address_for_its_executors() -> None:
    (load,) = (inner for inner in containers(TEMPLATES["daily"]) if inner["name"] == "load")
    assert load["serviceAccountName"] == "spark-driver"
    variables = {variable["name"]: variable for variable in load["container"]["env"]}
    assert variables["SPARK_DRIVER_HOST"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert variables["SPARK_DRIVER_POD"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    ports = {str(port["containerPort"]) for port in load["container"]["ports"]}
    assert ports == {variables[name]["value"] for name in ("SPARK_DRIVER_PORT", "SPARK_BLOCK_MANAGER_PORT")}


def test_argo_itself_finds_no_fault() -> None:
    program = shutil.which("argo")
    if program is None:
        pytest.skip("no argo on PATH, so no argo lint")
    ended = subprocess.run(
        [program, "lint", "--offline", "--no-color", str(argo.RENDERED)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
