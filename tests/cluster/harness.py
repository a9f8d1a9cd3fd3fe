"""A cluster for the tests alone, made and used by the product's own commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import trino
import yaml

from k8s import images
from k8s.access import connection, forwarded
from k8s.argo_install import ARGO_IMAGES, ARGO_MANIFEST
from k8s.cluster import NAMESPACE, Cluster
from lakepulse.settings import Settings
from workflows.cluster.runs import ENDED
from workflows.cluster.submit import document
from workflows.pipelines import PIPELINES

ROOT = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).resolve().parent
_PYTHONPATH = os.pathsep.join(str(ROOT / part) for part in ("", "images/common", "images/fetch", "images/simulator", "dbt"))
_SETTINGS = {name.upper() for name in Settings.model_fields}

TOKEN = "token-of-the-test"
REVOKED = "revoked-token"

Row = tuple[Any, ...]


def why_not() -> str | None:
    """Why no cluster can be made here, or None."""
    for tool in ("docker", "kind", "kubectl"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    if _docker("info").returncode:
        return "Docker is not responding"
    if _online():
        return None
    if _local_node_image() is None:
        return "no internet and no kindest/node image in the Docker engine"
    if _argo_file() is None:
        return "no internet and no Argo manifest (ARGO_INSTALL=<file>)"
    for name in ARGO_IMAGES:
        if _docker("image", "inspect", name).returncode:
            return f"no internet and no {name} in the Docker engine"
    return None


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _online() -> bool:
    try:
        return httpx.head(ARGO_MANIFEST, timeout=5).status_code < 400
    except httpx.HTTPError:
        return False


def _local_node_image() -> str | None:
    """KIND_NODE_IMAGE, or the newest node image of the local engine."""
    if chosen := os.environ.get("KIND_NODE_IMAGE"):
        return chosen
    listed = _docker("images", "--format", "{{.Repository}}:{{.Tag}}", "kindest/node").stdout
    return next(iter(listed.split()), None)


def _argo_file() -> str | None:
    """ARGO_INSTALL, or the manifest that the machine's own clusters are made with."""
    if chosen := os.environ.get("ARGO_INSTALL"):
        return chosen
    home = Path(os.environ.get("CLUSTER_HOME") or "~/.local-cluster").expanduser()
    kept = home / "argo" / "install.yaml"
    return str(kept) if kept.is_file() else None


@dataclass
class Installation:
    """A cluster, its kept data and a kubeconfig of its own."""

    folder: Path
    name: str = "lakepulse-e2e"
    environment: dict[str, str] = field(init=False)
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        kept = {
            name: value for name, value in os.environ.items() if name not in _SETTINGS | {"KUBE_CONTEXT", "KEEP_DATA", "PORT"}
        }
        offline = {} if _online() else {"KIND_NODE_IMAGE": _local_node_image() or "", "ARGO_INSTALL": _argo_file() or ""}
        self.environment = (
            kept
            | offline
            | {
                "PYTHONPATH": _PYTHONPATH,
                "CLUSTER_NAME": self.name,
                "CLUSTER_DATA": str(self.folder / "kept"),
                "KUBECONFIG": str(self.folder / "kubeconfig"),
                "GITHUB_TOKEN": TOKEN,
            }
        )
        self.cluster = Cluster(self.name, self.folder / "kept")

    # --- the product's commands

    def lakepulse(self, *arguments: str, seconds: float = 3600, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `lakepulse <arguments>` on this cluster."""
        return subprocess.run(
            [sys.executable, "-m", "lakepulse", *arguments],
            env=self.environment | settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def up(self) -> str:
        done = self.lakepulse("cluster", "up")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def down(self, keep_data: bool) -> None:
        done = self.lakepulse("cluster", "down", KEEP_DATA="1" if keep_data else "0")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    def submit(self, pipeline: str, **parameters: str) -> subprocess.CompletedProcess[str]:
        """`make submit`, waiting for the end."""
        return self.lakepulse("submit", pipeline, *(f"{name}={value}" for name, value in parameters.items()))

    def start(self, pipeline: str, entrypoint: str | None = None, **parameters: str) -> str:
        """Start a pipeline, or one of its templates alone, and return the workflow's name at once."""
        workflow = document(PIPELINES[pipeline], parameters, NAMESPACE)
        if entrypoint:
            workflow["spec"]["entrypoint"] = entrypoint
        made = self.kubectl("create", "-f", "-", "--output", "name", text=json.dumps(workflow))
        return made.strip().rpartition("/")[2]

    def phase(self, name: str) -> str | None:
        """A workflow's phase; None while the API does not answer."""
        said = self.kubectl("get", "workflow", name, "--output", "json", check=False)
        phase: str | None = json.loads(said).get("status", {}).get("phase", "Pending") if said else None
        return phase

    def end(self, name: str, seconds: float = 2400) -> str:
        """The phase in which a workflow ends."""
        deadline = time.monotonic() + seconds
        while (phase := self.phase(name)) not in ENDED:
            assert time.monotonic() < deadline, f"{name} has not ended: {phase}; {self.kubectl('get', 'pods')}"
            time.sleep(3)
        return phase

    # --- the cluster itself

    def kubectl(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        command = ["kubectl", "--context", self.cluster.context, "--namespace", NAMESPACE, *arguments]
        done = subprocess.run(command, env=self.environment, input=text, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """Objects that `kubectl get` lists."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", *arguments, "--output", "json"))["items"]
        return items

    def patch_settings(self, **values: str | None) -> None:
        """Change the ConfigMap that steps take their settings from."""
        self.kubectl("patch", "configmap", "lakepulse-settings", "--patch", json.dumps({"data": values}))

    def serve(self, world: str, day: date) -> None:
        """Run the simulator in the cluster and point the pipeline at it; suspend the schedules."""
        images.note(self.cluster, images.load(self.cluster, images.build(("simulator",))))
        documents = list(yaml.safe_load_all((_HERE / "simulator.yaml").read_text(encoding="utf-8")))
        [deployment] = [document for document in documents if document["kind"] == "Deployment"]
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        container["command"] += ["--world", world, "--date", day.isoformat()]
        self.kubectl("apply", "--server-side", "-f", "-", text=yaml.safe_dump_all(documents))
        self.kubectl("rollout", "status", "deployment/simulator", "--timeout=180s")
        url = "http://simulator:8000"
        self.patch_settings(
            GITHUB_API_URL=f"{url}/github",
            PYPISTATS_API_URL=f"{url}/pypistats/api",
            PYPI_SIMPLE_URL=f"{url}/simple",
            CLICKHOUSE_URL=f"{url}/clickhouse",
            DEMO="1",
        )
        for cron in self.get("cronworkflows"):
            self.kubectl(
                "patch", "cronworkflow", cron["metadata"]["name"], "--type=merge", "--patch", '{"spec": {"suspend": true}}'
            )

    def ready(self, since: datetime, seconds: float = 900) -> None:
        """Wait until every service runs in containers younger than `since`: after a restart the API still
        reports the node's old ones.
        """
        deadline = time.monotonic() + seconds
        while True:
            # Not the steps of runs, nor the executors that died with the node.
            selector = ("--selector", "!workflows.argoproj.io/workflow,!spark-role")
            listed = self.kubectl("get", "pods", *selector, "--output", "json", check=False)
            pods = json.loads(listed)["items"] if listed else []
            late = [pod["metadata"]["name"] for pod in pods if not _runs(pod, since)]
            if pods and not late:
                return
            assert time.monotonic() < deadline, f"not ready: {late}; {self.kubectl('get', 'pods', check=False)}"
            time.sleep(3)

    @contextmanager
    def forwarded(self, service: str, port: int) -> Iterator[int]:
        """A local port that leads to a service."""
        with (
            connection(self.cluster.context, self.environment["KUBECONFIG"]) as api,
            forwarded(api, service, port) as local,
        ):
            yield local

    def sql(self, *queries: str, user: str = "lakepulse") -> list[list[Row]]:
        """The rows of each query on Trino."""
        with self.forwarded("trino", 8080) as port:
            connect: Any = trino.dbapi.connect
            connection = connect(host="127.0.0.1", port=port, user=user, catalog="lakepulse", timezone="UTC")
            found = []
            for query in queries:
                cursor = connection.cursor()
                cursor.execute(query)
                found.append([tuple(row) for row in cursor.fetchall()])
            return found

    def trouble(self) -> str:
        """The last log lines of the steps that failed."""
        pods = [pod["metadata"]["name"] for pod in self.get("pods") if pod["status"]["phase"] == "Failed"]
        logs = [self.kubectl("logs", name, "--container=main", "--tail=30", check=False) for name in pods]
        return "\n".join(f"--- {name}\n{log}" for name, log in zip(pods, logs, strict=True))

    def secret(self, name: str) -> dict[str, str]:
        values: dict[str, str] = json.loads((self.cluster.secrets / f"{name}.json").read_text(encoding="utf-8"))
        return values

    @contextmanager
    def outside(self) -> Iterator[dict[str, str]]:
        """Settings with which a program on this machine uses the cluster's storage and catalog."""
        with self.forwarded("minio", 9000) as storage, self.forwarded("postgres", 5432) as catalog:
            yield (
                self.secret("lakepulse-s3")
                | self.secret("lakepulse-catalog")
                | {
                    "LAKE_URL": "s3://lakepulse",
                    "WAREHOUSE_URL": "s3://lakepulse/warehouse",
                    "S3_ENDPOINT": f"http://127.0.0.1:{storage}",
                    "CATALOG_URI": f"postgresql://127.0.0.1:{catalog}/catalog",
                }
            )


def _runs(pod: dict[str, Any], since: datetime) -> bool:
    statuses = pod["status"].get("containerStatuses", [])
    begun = [status["state"].get("running", {}).get("startedAt") for status in statuses if status["ready"]]
    return bool(statuses) and len(begun) == len(statuses) and all(at and datetime.fromisoformat(at) >= since for at in begun)
