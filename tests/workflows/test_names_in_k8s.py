"""Each ConfigMap, Secret, service account and right that the rendered pipelines need is made by `k8s/`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from k8s.cluster import NAMESPACE, Cluster
from k8s.images import STAGES, image_name
from k8s.secrets import apply_secrets
from lakepulse.reports import TRACES
from lakepulse.settings import Settings
from tests.workflows.rendered import TEMPLATES, Document, containers
from workflows import argo

KIND = Path(__file__).resolve().parents[2] / "k8s" / "overlays" / "kind"


def manifests(folder: Path) -> Iterator[Document]:
    """What kustomize makes of a folder, as far as names go."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for resource in (*kustomization.get("resources", ()), *kustomization.get("components", ())):
        path = folder / resource
        if path.is_dir():
            yield from manifests(path)
        else:
            yield from (document for document in yaml.safe_load_all(path.read_text()) if document)
    for generated in kustomization.get("configMapGenerator", ()):
        keys = [Path(file.rpartition("=")[2]).name for file in generated.get("files", ())]
        data = dict.fromkeys(keys, "") | dict(pair.split("=", 1) for pair in generated.get("literals", ()))
        yield {"kind": "ConfigMap", "metadata": {"name": generated["name"]}, "data": data}


MANIFESTS = list(manifests(KIND))


def named(kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in MANIFESTS if document["kind"] == kind}


@dataclass(frozen=True, slots=True)
class Recording(Cluster):
    """A cluster that keeps what is applied to it."""

    applied: list[str] = field(default_factory=list)

    def apply(self, documents: str) -> str:
        self.applied.append(documents)
        return ""


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, set[str]]:
    """Name -> keys of the secrets that `make cluster` makes, the optional ones too."""
    recording = Recording(name="nowhere", folder=tmp_path)
    given = {"github_token": "made-up", "webhook_url": "http://127.0.0.1:1/made-up"}
    apply_secrets(recording, Settings(_env_file=None, **given))  # type: ignore[arg-type]
    return {
        document["metadata"]["name"]: set(document["stringData"])
        for applied in recording.applied
        for document in yaml.safe_load_all(applied)
    }


def test_every_rendered_template_is_part_of_the_overlay() -> None:
    assert set(named("WorkflowTemplate")) == set(TEMPLATES)
    assert {document["metadata"]["namespace"] for document in named("WorkflowTemplate").values()} == {NAMESPACE}
    assert NAMESPACE in named("Namespace")


def test_config_maps_exist_with_their_keys() -> None:
    there = named("ConfigMap")
    assert "projects.yaml" in there[argo.PROJECTS]["data"]
    assert int(there[argo.SEMAPHORES]["data"]["fetch"]) >= 1
    assert "pod.yaml" in there[argo.EXECUTOR_TEMPLATE]["data"]
    for template in TEMPLATES.values():
        defaults = {parameter["name"]: parameter["value"] for parameter in template["spec"]["arguments"]["parameters"]}
        for inner in containers(template):
            volumes = [volume["configMap"]["name"] for volume in inner["volumes"] if "configMap" in volume]
            sources = [source["configMapRef"]["name"] for source in inner["container"]["envFrom"] if "configMapRef" in source]
            for name in (*volumes, *sources):
                assert name.replace("{{workflow.parameters.projects}}", defaults["projects"]) in there


def test_shared_settings_are_settings() -> None:
    settings = named("ConfigMap")[argo.SETTINGS]["data"]
    assert {"LAKE_URL", "WAREHOUSE_URL", "CATALOG_URI", "ENGINE", "TRINO_HOST", "TRINO_PORT"} <= set(settings)
    assert {name.lower() for name in settings} <= set(Settings.model_fields)
    assert settings["ENGINE"] == "trino"
    assert not any(word in name for name in settings for word in ("PASSWORD", "SECRET", "TOKEN"))


def test_archived_logs_lie_where_maintenance_clears() -> None:
    logs = yaml.safe_load(named("ConfigMap")["artifact-repositories"]["data"]["logs"])["s3"]
    lake = named("ConfigMap")[argo.SETTINGS]["data"]["LAKE_URL"]
    bucket, _, prefix = lake.removeprefix("s3://").partition("/")
    assert logs["bucket"] == bucket
    assert logs["keyFormat"].removeprefix(prefix).lstrip("/").split("/")[0] in TRACES


def test_secrets_exist_with_the_settings_that_steps_read(secrets: dict[str, set[str]]) -> None:
    for template in TEMPLATES.values():
        for inner in containers(template):
            for source in inner["container"]["envFrom"]:
                if "secretRef" in source:
                    keys = secrets[source["secretRef"]["name"]]
                    assert {key.lower() for key in keys} <= set(Settings.model_fields)
    assert secrets["lakepulse-catalog"] == {"CATALOG_USER", "CATALOG_PASSWORD"}


def rights(account: str) -> set[tuple[str, str, str]]:
    """(API group, resource, verb) that a service account has in the namespace."""
    roles = named("Role")
    return {
        (group, resource, verb)
        for binding in named("RoleBinding").values()
        if any(subject["kind"] == "ServiceAccount" and subject["name"] == account for subject in binding["subjects"])
        for rule in roles[binding["roleRef"]["name"]]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_service_accounts_exist_and_may_do_what_their_pods_do() -> None:
    accounts = named("ServiceAccount")
    used = {
        inner.get("serviceAccountName", template["spec"]["serviceAccountName"])
        for template in TEMPLATES.values()
        for inner in containers(template)
    }
    assert used == {argo.STEP_ACCOUNT, argo.DRIVER_ACCOUNT}
    assert used | {argo.EXECUTOR_ACCOUNT} <= set(accounts)
    report = {("argoproj.io", "workflowtaskresults", verb) for verb in ("create", "patch")}
    assert rights(argo.STEP_ACCOUNT) == report
    assert report | {("", "pods", verb) for verb in ("create", "delete", "watch")} <= rights(argo.DRIVER_ACCOUNT)
    assert rights(argo.EXECUTOR_ACCOUNT) == set()


def test_executors_call_the_driver_through_the_network_policies() -> None:
    (load,) = (inner for inner in containers(TEMPLATES["daily"]) if inner["name"] == "load")
    ports = {port["containerPort"] for port in load["container"]["ports"]}
    (rule,) = named("NetworkPolicy")["spark-driver"]["spec"]["ingress"]
    assert {port["port"] for port in rule["ports"]} == ports


def test_images_are_those_that_make_cluster_builds() -> None:
    built = {image_name(stage) for stage in STAGES}
    used = {inner["container"]["image"] for template in TEMPLATES.values() for inner in containers(template)}
    assert used <= built
