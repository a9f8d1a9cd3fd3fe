"""What kustomize makes of k8s/, without a cluster: every workload keeps to the rules."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s.argo_install import ARGO_MANIFEST
from k8s.images import STAGES, VERSION

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("kind", "existing")

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH")

Document = dict[str, Any]


@cache
def built(overlay: str) -> tuple[Document, ...]:
    command = ["kubectl", "kustomize", str(ROOT / "k8s" / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Document]:
    return [document for document in built(overlay) if document["kind"] in kinds]


def pod_specs(overlay: str) -> Iterator[tuple[str, Document]]:
    for workload in of_kind(overlay, "Deployment", "StatefulSet"):
        yield workload["metadata"]["name"], workload["spec"]["template"]["spec"]
    for job in of_kind(overlay, "CronJob"):
        yield job["metadata"]["name"], job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [template] = [d for d in of_kind(overlay, "ConfigMap") if d["metadata"]["name"] == "spark-executor-template"]
    yield "spark-executor", yaml.safe_load(template["data"]["pod.yaml"])["spec"]


def images(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("image"), str):
            yield node["image"]
        for value in node.values():
            yield from images(value)
    elif isinstance(node, list):
        for value in node:
            yield from images(value)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_meets_the_restricted_standard(overlay: str) -> None:
    [namespace] = of_kind(overlay, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    specs = dict(pod_specs(overlay))
    assert specs
    for name, spec in specs.items():
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, f"{name} never talks to Kubernetes"
        for container in spec["containers"] + spec.get("initContainers", []):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert not any("hostPath" in volume for volume in spec.get("volumes", ())), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_service_has_bounds_and_probes(overlay: str) -> None:
    for workload in of_kind(overlay, "Deployment", "StatefulSet"):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            name = f"{workload['metadata']['name']}/{container['name']}"
            assert set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}, name
            assert {"readinessProbe", "livenessProbe"} <= set(container), name


def test_the_documentation_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """As the first process, which ignores a signal that it has no handler for."""
    container = dict(pod_specs("kind"))["dbt-docs"]["containers"][0]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    served = [str(tmp_path) if word == "/app/docs" else port if word == "8080" else word for word in container["args"]]
    command = [sys.executable, *container["command"][1:], *served]
    unshare = [shutil.which("unshare") or "unshare", "--map-root-user", "--pid", "--fork"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("PID namespaces are not allowed here")
    with subprocess.Popen([*unshare, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                break
            time.sleep(0.05)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split()
        os.kill(int(children[0]), signal.SIGTERM)
        try:
            assert server.wait(10) == 0
        finally:
            server.kill()
            with suppress(ProcessLookupError):
                os.kill(int(children[0]), signal.SIGKILL)


def test_requests_leave_room_on_a_node_of_two_cores() -> None:
    """kind's own pods ask for 950m; a driver and two executors must fit beside the services."""
    services = sum(
        cpu(container["resources"]["requests"]["cpu"])
        for workload in of_kind("kind", "Deployment", "StatefulSet")
        for container in workload["spec"]["template"]["spec"]["containers"]
    )
    executor = max(
        cpu(parameter["value"])
        for workflow in of_kind("kind", "WorkflowTemplate")
        for parameter in workflow["spec"]["arguments"]["parameters"]
        if parameter["name"] == "executor_cpu_request"
    )
    argo = 35 + 10
    drivers = [
        cpu(template["container"]["resources"]["requests"]["cpu"])
        for workflow in of_kind("kind", "WorkflowTemplate")
        for template in workflow["spec"]["templates"]
        if template.get("serviceAccountName") == "spark-driver"
    ]
    assert drivers
    assert 950 + services + argo + max(drivers) + 2 * executor <= 2000


def cpu(quantity: str) -> int:
    """Thousandths of a core."""
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_image_is_pinned(overlay: str) -> None:
    found = set(images(list(built(overlay)))) | {
        variable["value"]
        for workflow in of_kind(overlay, "WorkflowTemplate")
        for template in workflow["spec"]["templates"]
        for variable in template.get("container", {}).get("env", ())
        if variable["name"] == "SPARK_IMAGE"
    }
    assert {re.search(r"lakepulse/(\w+):", name)[1] for name in found if "lakepulse/" in name} == set(STAGES)  # type: ignore[index]
    for name in found:
        _, _, tag = name.rpartition(":")
        assert re.fullmatch(r"[\w.-]+", tag), name
        assert tag != "latest", name
        if "lakepulse/" in name:
            assert tag == VERSION, name
            assert name.startswith("registry.example.org/") == (overlay == "existing"), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_in_the_namespace(overlay: str) -> None:
    everywhere = {"Namespace", "PersistentVolume"}
    for document in built(overlay):
        if document["kind"] not in everywhere:
            assert document["metadata"]["namespace"] == "lakepulse", document["metadata"]["name"]


def test_a_second_namespace_takes_everything_along(tmp_path: Path) -> None:
    """As for staging beside production: nothing names the namespace but the overlay."""
    base = os.path.relpath(ROOT / "k8s" / "overlays" / "existing", tmp_path)
    overlay = {"kind": "Kustomization", "namespace": "staging", "resources": [base]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    done = subprocess.run(["kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True, check=False)  # noqa: S607 - from the PATH
    assert done.returncode == 0, done.stderr
    documents = list(yaml.safe_load_all(done.stdout))
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        if document["kind"] == "Namespace":
            assert document["metadata"]["name"] == "staging"
        else:
            assert document["metadata"]["namespace"] == "staging", name
        for subject in document.get("subjects", ()):
            assert subject["namespace"] == "staging", name
    variables = [
        variable
        for document in documents
        if document["kind"] == "WorkflowTemplate"
        for template in document["spec"]["templates"]
        for variable in template.get("container", {}).get("env", ())
        if variable["name"] == "SPARK_NAMESPACE"
    ]
    assert variables
    assert all(variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.namespace" for variable in variables)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_manifest_holds_a_secret(overlay: str) -> None:
    assert of_kind(overlay, "Secret") == []


def test_what_holds_data_has_a_volume_that_outlives_the_cluster() -> None:
    claims = {
        f"{template['metadata']['name']}-{stateful['metadata']['name']}-0"
        for stateful in of_kind("kind", "StatefulSet")
        for template in stateful["spec"]["volumeClaimTemplates"]
    }
    volumes = of_kind("kind", "PersistentVolume")
    assert {volume["spec"]["claimRef"]["name"] for volume in volumes} == claims == {"data-minio-0", "data-postgres-0"}
    [mount] = yaml.safe_load((ROOT / "kind-config.yaml").read_text(encoding="utf-8"))["nodes"][0]["extraMounts"]
    for volume in volumes:
        assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
        assert volume["spec"]["hostPath"]["path"].startswith(f"{mount['containerPath']}/")


def test_a_step_may_report_its_outcome_and_a_driver_handle_pods() -> None:
    rules = {role["metadata"]["name"]: role["rules"] for role in of_kind("kind", "Role")}
    assert rules["argo-step"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    [driver] = rules["spark-driver"]
    assert driver["resources"] == ["pods"]
    bound = {
        binding["roleRef"]["name"]: {subject["name"] for subject in binding["subjects"]}
        for binding in of_kind("kind", "RoleBinding")
    }
    assert bound["argo-step"] == {"lakepulse-step", "spark-driver"}
    assert bound["spark-driver"] == {"spark-driver"}


def test_secrets_go_to_those_alone_that_need_them() -> None:
    text = {name: yaml.safe_dump(spec) for name, spec in pod_specs("kind")}
    holders = {
        name: set(re.findall(r"name: (lakepulse-(?:s3|catalog|postgres|github|webhook))\b", spec))
        for name, spec in text.items()
    }
    assert holders == {
        "minio": {"lakepulse-s3"},
        "postgres": {"lakepulse-postgres", "lakepulse-catalog"},
        "trino": {"lakepulse-s3", "lakepulse-catalog"},
        "dashboard": set(),
        "dbt-docs": set(),
        "spark-executor": set(),
        "watch": {"lakepulse-s3", "lakepulse-catalog", "lakepulse-webhook"},
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_silence_is_watched_for_outside_argo_for_longer_than_a_day_and_a_run(overlay: str) -> None:
    [job] = of_kind(overlay, "CronJob")
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert [*container["command"], *container["args"]] == ["python", "-m", "lakepulse", "watch", "--hours", "26"]
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0, "each attempt posts to the webhook"
    minutes, hours = job["spec"]["schedule"].split()[:2]
    assert int(minutes) < 60
    assert len(hours.split(",")) >= 4
    label = {"app.kubernetes.io/component": "watch"}
    assert job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"].items() >= label.items()
    allowed = [
        policy for policy in of_kind(overlay, "NetworkPolicy") if "watch" in yaml.safe_dump(policy["spec"]["podSelector"])
    ]
    assert {policy["metadata"]["name"] for policy in allowed} >= {"watch", "upstreams"}


def test_a_cluster_of_ones_own_gets_the_same_argo() -> None:
    folder = ROOT / "k8s" / "overlays" / "existing" / "argo"
    assert yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))["resources"] == [ARGO_MANIFEST]
