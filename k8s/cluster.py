"""The local cluster: `python -m k8s.cluster COMMAND`, behind the Makefile's targets.

up        makes what is missing: cluster, images, Argo, services; a second run changes nothing
down      deletes the cluster; its data and secrets stay unless KEEP_DATA=0
secrets   applies secrets alone, after GITHUB_TOKEN or WEBHOOK_URL was set
images    builds the images alone, to push them to a registry of your own
argo-ui, dashboard, trino, minio-ui, dbt-docs
          forward a port and print the address

Variables: CLUSTER_NAME (lakepulse), CLUSTER_DATA (.cluster), KIND_NODE_IMAGE (kind's own),
ARGO_INSTALL (Argo's install manifest as a file, for a machine without internet).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import stamina
import yaml

from lakepulse.outcome import PermanentError, TemporaryError, run_step
from lakepulse.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
NAMESPACE = "lakepulse"
OVERLAY = ROOT / "k8s" / "overlays" / "kind"

STAGES = ("fetch", "spark", "dbt", "dashboard")
"""Each has `images/<stage>/Dockerfile`, and becomes the image `lakepulse/<stage>:<version>`."""

_DEPLOYMENTS = {"dashboard": "dashboard", "dbt": "dbt-docs"}
"""Stage -> what runs its image all the time; the other pods are made for each step."""

ARGO_VERSION = "v4.1.2"
ARGO_MANIFEST = f"https://github.com/argoproj/argo-workflows/releases/download/{ARGO_VERSION}/namespace-install.yaml"

_TOOLS = {
    "docker": "https://docs.docker.com/engine/install",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "kubectl": "https://kubernetes.io/docs/tasks/tools",
    "argo": f"https://github.com/argoproj/argo-workflows/releases/tag/{ARGO_VERSION}",
}

_SERVER_SIDE = ("--server-side", "--force-conflicts", "--field-manager=lakepulse")
_LOADED = "/var/lib/lakepulse-images.json"
"""File on the node that says what was loaded: a node names its images by other ids than Docker does."""

_DATA_MOUNT = '{{range .Mounts}}{{if eq .Destination "/var/lakepulse"}}{{.Source}}{{end}}{{end}}'
"""Docker's template for the host folder that a node keeps its data in."""

_CRDS = ("crd/workflows.argoproj.io", "crd/workflowtemplates.argoproj.io", "crd/cronworkflows.argoproj.io")

_OWNERS = {"minio": 10001, "postgres": 999}
"""Folder of the kept data -> the user that its pod runs as."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A kind cluster and the host folder that outlives it.

    `folder/data` is what the node mounts; `folder/secrets` has the credentials that the data
    was made with, readable by its owner alone.
    """

    name: str
    folder: Path
    node_image: str | None = None
    argo_install: Path | None = None
    kube_context: str | None = None
    """Of a cluster that is not kind's, which is looked at and never made or deleted."""

    @classmethod
    def from_environment(cls) -> Cluster:
        argo = os.environ.get("ARGO_INSTALL")
        return cls(
            name=os.environ.get("CLUSTER_NAME") or "lakepulse",
            folder=Path(os.environ.get("CLUSTER_DATA") or ROOT / ".cluster").expanduser().absolute(),
            node_image=os.environ.get("KIND_NODE_IMAGE") or None,
            argo_install=Path(argo).expanduser().absolute() if argo else None,
        )

    @property
    def context(self) -> str:
        return self.kube_context or f"kind-{self.name}"

    @property
    def node(self) -> str:
        """The container that is the cluster's one node."""
        return f"{self.name}-control-plane"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl on this cluster and nowhere else; its output."""
        return run("kubectl", "--context", self.context, "--namespace", NAMESPACE, *arguments, text=text)

    def apply(self, documents: str) -> str:
        """Apply YAML on the server, where a manifest's size does not matter."""
        return self.kubectl("apply", *_SERVER_SIDE, "-f", "-", text=documents)


def run(*command: str, text: str | None = None) -> str:
    """Run a tool and return its output.

    Raises:
        TemporaryError: it failed; the message has the end of what it said.
    """
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise TemporaryError(f"{' '.join(command[:8])} failed: {' | '.join(said)}")
    return done.stdout


def require_tools(*names: str) -> None:
    """Check that the tools are there and that a Docker engine answers.

    Raises:
        PermanentError: one is missing; the message says where to get it.
    """
    for name in names:
        if shutil.which(name) is None:
            raise PermanentError(f"{name} is not installed; get it from {_TOOLS[name]}")
    if "docker" in names:
        done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)  # noqa: S607 - from the PATH
        if done.returncode:
            raise PermanentError(f"no Docker engine answers; start it, or see {_TOOLS['docker']}")


def say(text: str) -> None:
    print(text, flush=True)


# --- up


def up(cluster: Cluster) -> None:
    """Make the cluster, or what it lacks.

    Raises:
        PermanentError: a tool is missing.
        TemporaryError: something did not become ready.
    """
    require_tools("docker", "kind", "kubectl", "argo")
    make_folders(cluster)
    if cluster.name not in run("kind", "get", "clusters").split():
        say(f"making the kind cluster {cluster.name}")
        create(cluster)
    else:
        start(cluster)
    own_folders(cluster)
    images = build()
    loaded = load(cluster, images)
    pull(cluster)
    cluster.apply((ROOT / "k8s" / "base" / "namespace.yaml").read_text(encoding="utf-8"))
    apply_secrets(cluster)
    install_argo(cluster)
    say("applying k8s/overlays/kind")
    cluster.kubectl("apply", *_SERVER_SIDE, "-k", str(OVERLAY))
    for stage, deployment in _DEPLOYMENTS.items():
        # The same tag with other content: only new pods take it.
        if image_name(stage) in loaded:
            cluster.kubectl("rollout", "restart", f"deployment/{deployment}")
    # Not before: were this run to end half-way, the next one must restart them.
    note(cluster, loaded)
    wait(cluster)
    say(
        f"\nThe cluster is ready (context {cluster.context}, namespace {NAMESPACE}). Next:\n"
        "  make submit PIPELINE=daily   run the pipeline once; its schedule does so every day\n"
        "  make status                  last runs, next times, what is in trouble\n"
        "  make dashboard               open the dashboard\n"
        "  make argo-ui                 watch workflows\n"
        f"Data and secrets lie in {cluster.folder}; `make cluster-down` keeps them."
    )


def make_folders(cluster: Cluster) -> None:
    """Make the host folders; secrets are their owner's alone."""
    for folder in (cluster.folder, cluster.data, cluster.secrets):
        folder.mkdir(parents=True, exist_ok=True)
    cluster.secrets.chmod(0o700)


def create(cluster: Cluster) -> None:
    """Create the cluster from kind-config.yaml with the data folder's absolute path in it."""
    config = yaml.safe_load((ROOT / "kind-config.yaml").read_text(encoding="utf-8"))
    config["name"] = cluster.name
    config["nodes"][0]["extraMounts"][0]["hostPath"] = str(cluster.data)
    image = ("--image", cluster.node_image) if cluster.node_image else ()
    run("kind", "create", "cluster", "--config", "-", "--wait", "180s", *image, text=yaml.safe_dump(config))


def start(cluster: Cluster, seconds: int = 180) -> None:
    """Start the node where it was stopped, as after a reboot, and wait until what Kubernetes tells is of now.

    Raises:
        PermanentError: it was made with another data folder.
        TemporaryError: it does not answer.
    """
    mounted = run("docker", "inspect", "--format", _DATA_MOUNT, cluster.node).strip()
    # Docker Desktop puts a prefix of its own before the host's path.
    if not mounted.endswith((str(cluster.data), str(cluster.data.resolve()))):
        raise PermanentError(
            f"the cluster {cluster.name} keeps its data in {mounted}, not in {cluster.data}; "
            f"set CLUSTER_DATA={Path(mounted).parent}, or delete the cluster first: make cluster-down"
        )
    run("docker", "start", cluster.node)
    if not known(cluster):
        run("kind", "export", "kubeconfig", "--name", cluster.name)
    deadline = time.monotonic() + seconds
    while True:
        try:
            cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=5s")
            # A clock that was set back would make them late for ever; what matters is waited for later.
            if not remembered(cluster) or time.monotonic() >= deadline:
                return
        except TemporaryError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(2)


def known(cluster: Cluster) -> bool:
    """Is the cluster in the kubeconfig? It may have been made with another one."""
    command = ["kubectl", "config", "get-contexts", cluster.context]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def remembered(cluster: Cluster) -> list[str]:
    """Pods whose containers are said to run since before the node started.

    None of those runs any more: until the kubelet has looked, the API server tells what it knew.
    """
    started = run("docker", "inspect", "--format", "{{.State.StartedAt}}", cluster.node).strip()
    pods = json.loads(cluster.kubectl("get", "pods", "--all-namespaces", "--output", "json"))["items"]
    return [
        pod["metadata"]["name"]
        for pod in pods
        for container in pod["status"].get("containerStatuses", [])
        # Both are UTC; Kubernetes counts whole seconds.
        if (running := container["state"].get("running")) and running["startedAt"][:19] < started[:19]
    ]


def own_folders(cluster: Cluster) -> None:
    """Give each data folder to the user of its pod. The node's root may do that on every host."""
    for folder, user in _OWNERS.items():
        path = f"/var/lakepulse/{folder}"
        run("docker", "exec", cluster.node, "install", "--directory", "--mode=0700", f"--owner={user}", f"--group={user}", path)


def image_name(stage: str) -> str:
    return f"lakepulse/{stage}:{VERSION}"


def build() -> list[str]:
    """Build the images; what did not change comes from Docker's cache. Their names."""
    names = []
    for stage in STAGES:
        started = time.monotonic()
        name = image_name(stage)
        command = ["docker", "build", "--quiet", "--tag", name, "--file", f"images/{stage}/Dockerfile", "."]
        # Docker before 23 needs to be told; the Dockerfiles use BuildKit's cache mounts. An attestation has the time in
        # it, so that an image that did not change would still get another id.
        environment = os.environ | {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
        if done.returncode:
            raise TemporaryError(f"docker build of {name} failed: {' | '.join(done.stderr.strip().splitlines()[-8:])}")
        say(f"image {name} built in {time.monotonic() - started:.0f} s")
        names.append(name)
    return names


def load(cluster: Cluster, own: list[str]) -> dict[str, str]:
    """Bring images onto the node that it cannot pull or need not; name -> local id of those that are new there.

    Ours are always local. Others are loaded where the local engine has them, such as on a
    machine without internet, and else the node pulls them.
    """
    there = node_images(cluster)
    local = {name: identifier for name in own + other_images() if (identifier := local_image(name))}
    wanted = [name for name, identifier in local.items() if there.get(full_name(name)) != identifier]
    # Together, so that layers that they share travel once.
    groups = [[name for name in wanted if name in own], [name for name in wanted if name not in own]]
    loaded: dict[str, str] = {}
    for group in filter(None, groups):
        try:
            run("kind", "load", "docker-image", "--name", cluster.name, *group)
        except TemporaryError as error:
            if set(group) <= set(own):
                raise
            # Engines that keep images of several platforms cannot always export them.
            say(f"the node pulls {', '.join(group)} itself: {error}")
            continue
        say(f"loaded {', '.join(group)}")
        loaded |= {name: local[name] for name in group}
    return loaded


def note(cluster: Cluster, loaded: dict[str, str]) -> None:
    """Write down on the node which images `load` brought there."""
    if loaded:
        noted = node_images(cluster) | {full_name(name): identifier for name, identifier in loaded.items()}
        run("docker", "exec", "--interactive", cluster.node, "tee", _LOADED, text=json.dumps(noted))


def pull(cluster: Cluster) -> None:
    """Have the node pull what is not ours and not there, so that a slow line is not taken for a service that does not start.

    Raises:
        TemporaryError: an image cannot be pulled.
    """
    there = listed_images(cluster)
    for name in other_images():
        if full_name(name) not in there:
            say(f"pulling {name}")
            run("docker", "exec", cluster.node, "crictl", "pull", name)


def full_name(name: str) -> str:
    """An image's name as a node lists it."""
    first, _, rest = name.partition("/")
    if rest and ("." in first or ":" in first):
        return name
    return f"docker.io/{name}" if rest else f"docker.io/library/{name}"


def local_image(name: str) -> str | None:
    """Id of an image in the local engine."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def listed_images(cluster: Cluster) -> set[str]:
    """Names of the images on the node."""
    return set(run("docker", "exec", cluster.node, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet").split())


def node_images(cluster: Cluster) -> dict[str, str]:
    """Name -> local id of the images on the node that `load` brought there."""
    names = listed_images(cluster)
    command = ["docker", "exec", cluster.node, "cat", _LOADED]
    noted = subprocess.run(command, capture_output=True, text=True, check=False)
    ids: dict[str, str] = json.loads(noted.stdout) if noted.returncode == 0 else {}
    return {name: identifier for name, identifier in ids.items() if name in names}


def other_images() -> list[str]:
    """Every image that the manifests name and we do not build."""
    named = {
        container["image"]
        for document in yaml.safe_load_all(run("kubectl", "kustomize", str(OVERLAY)))
        for container in _containers(document)
    }
    argo = {f"quay.io/argoproj/{name}:{ARGO_VERSION}" for name in ("workflow-controller", "argoexec", "argocli")}
    return sorted({name for name in named if not name.startswith("lakepulse/")} | argo)


def _containers(node: Any) -> Iterator[dict[str, Any]]:
    """Mappings with an image anywhere in a manifest."""
    if isinstance(node, dict):
        if isinstance(node.get("image"), str):
            yield node
        for value in node.values():
            yield from _containers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _containers(value)


# --- secrets


def apply_secrets(cluster: Cluster) -> None:
    """Apply every secret; those that are not there yet are made up or taken from the settings."""
    make_folders(cluster)
    settings = load_settings()
    token = settings.github_token.get_secret_value() if settings.github_token else None
    webhook = settings.webhook_url.get_secret_value() if settings.webhook_url else None
    generated: dict[str, Callable[[], dict[str, str]]] = {
        "lakepulse-s3": lambda: {"AWS_ACCESS_KEY_ID": "lakepulse", "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30)},
        "lakepulse-postgres": lambda: {"POSTGRES_PASSWORD": secrets.token_urlsafe(30)},
        "lakepulse-catalog": lambda: {"CATALOG_USER": "lakepulse", "CATALOG_PASSWORD": secrets.token_urlsafe(30)},
    }
    given = {"lakepulse-github": ("GITHUB_TOKEN", token), "lakepulse-webhook": ("WEBHOOK_URL", webhook)}
    for name, make in generated.items():
        if read_secret(cluster, name) is None:
            write_secret(cluster, name, make())
    for name, (key, value) in given.items():
        if value is not None:
            write_secret(cluster, name, {key: value})
    documents = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/part-of": "lakepulse"}},
            "stringData": values,
        }
        for name in (*generated, *given)
        if (values := read_secret(cluster, name)) is not None
    ]
    cluster.apply(yaml.safe_dump_all(documents))


def read_secret(cluster: Cluster, name: str) -> dict[str, str] | None:
    """A kept secret, or None."""
    path = cluster.secrets / f"{name}.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise PermanentError(f"{path} is damaged; restore it, since the kept data cannot be read without it") from None
    return {str(key): str(value) for key, value in values.items()}


def write_secret(cluster: Cluster, name: str, values: dict[str, str]) -> None:
    """Keep a secret, readable by its owner alone from the first moment."""
    partial = cluster.secrets / f".{name}.partial"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file)
    partial.replace(cluster.secrets / f"{name}.json")


# --- Argo


def install_argo(cluster: Cluster) -> None:
    """Apply Argo's namespaced install with our changes to it."""
    say(f"applying Argo Workflows {ARGO_VERSION}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "install.yaml").write_bytes(argo_manifest(cluster))
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": NAMESPACE,
            "resources": ["install.yaml"],
            # A component is named by a relative path.
            "components": [os.path.relpath(ROOT / "k8s" / "argo", Path(folder).resolve())],
        }
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
        cluster.apply(run("kubectl", "kustomize", folder))
    # In its first moments a definition's conditions are null, on which kubectl ends instead of waiting.
    for attempt in stamina.retry_context(on=TemporaryError, attempts=None, timeout=60, wait_max=2):
        with attempt:
            cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *_CRDS)


def argo_manifest(cluster: Cluster) -> bytes:
    """Argo's install manifest: ARGO_INSTALL, or the release's, kept once it was downloaded.

    Raises:
        PermanentError: ARGO_INSTALL cannot be read.
        TemporaryError: the release cannot be downloaded.
    """
    if cluster.argo_install:
        try:
            return cluster.argo_install.read_bytes()
        except OSError as error:
            raise PermanentError(f"ARGO_INSTALL: cannot read {cluster.argo_install}: {error.strerror}") from error
    kept = cluster.folder / f"argo-{ARGO_VERSION}.yaml"
    if not kept.exists():
        try:
            answer = httpx.get(ARGO_MANIFEST, follow_redirects=True, timeout=120).raise_for_status()
        except httpx.HTTPError as error:
            raise TemporaryError(
                f"cannot download {ARGO_MANIFEST}: {error}; without internet, give the file as ARGO_INSTALL=<path>"
            ) from error
        partial = kept.with_suffix(".partial")
        partial.write_bytes(answer.content)
        partial.replace(kept)
    return kept.read_bytes()


def wait(cluster: Cluster, seconds: int = 600) -> None:
    """Wait until every service answers.

    Raises:
        TemporaryError: one did not; the message names pods that are in trouble.
    """
    say("waiting for the services")
    workloads = cluster.kubectl("get", "statefulsets,deployments", "-o", "name").split()
    deadline = time.monotonic() + seconds
    for workload in workloads:
        left = max(1, int(deadline - time.monotonic()))
        try:
            cluster.kubectl("rollout", "status", workload, f"--timeout={left}s")
        except TemporaryError as error:
            pods = cluster.kubectl("get", "pods", "--no-headers").strip().replace("\n", " | ")
            raise TemporaryError(f"{workload} is not ready: {error}; pods: {pods}") from None


# --- down


def down(cluster: Cluster) -> None:
    """Delete the cluster, and with KEEP_DATA=0 what it stored.

    Raises:
        PermanentError: a tool is missing, or nothing here may remove the data.
    """
    require_tools("docker", "kind")
    exists = cluster.name in run("kind", "get", "clusters").split()
    keep = os.environ.get("KEEP_DATA", "1") != "0"
    if exists:
        if not keep:
            # The files belong to the pods' users; only the node's root may remove them.
            run("docker", "start", cluster.node)
            run("docker", "exec", cluster.node, "find", "/var/lakepulse", "-mindepth", "1", "-delete")
        run("kind", "delete", "cluster", "--name", cluster.name)
        say(f"deleted the cluster {cluster.name}")
    if keep:
        say(f"data and secrets are kept in {cluster.folder}; KEEP_DATA=0 removes them")
        return
    if not exists and cluster.data.is_dir() and any(cluster.data.iterdir()):
        if local_image(image_name("fetch")) is None:
            raise PermanentError(
                f"the data in {cluster.data} belongs to the pods' users, and the image that would remove it is gone: "
                f"sudo rm -rf {cluster.folder}"
            )
        mounted = ("--volume", f"{cluster.data}:/data", "--entrypoint", "find", image_name("fetch"), "/data")
        run("docker", "run", "--rm", "--pull=never", "--user", "0", *mounted, "-mindepth", "1", "-delete")
    shutil.rmtree(cluster.folder, ignore_errors=True)
    say(f"removed {cluster.folder}")


# --- ports


@dataclass(frozen=True, slots=True)
class Forward:
    """A service's port, and the port on this machine that leads to it unless PORT says otherwise."""

    service: str
    port: int
    local: int
    what: str


FORWARDS = {
    "argo-ui": Forward("argo-server", 2746, 2746, "Argo's user interface"),
    "dashboard": Forward("dashboard", 8501, 8501, "the dashboard"),
    "trino": Forward("trino", 8080, 8080, "Trino (any user but lakepulse may only read)"),
    "minio-ui": Forward("minio", 9001, 9001, "MinIO's console"),
    "dbt-docs": Forward("dbt-docs", 8080, 8085, "the documentation of the models"),
}


def forward(cluster: Cluster, name: str) -> None:
    """Forward a port until interrupted.

    Raises:
        PermanentError: kubectl is missing, or PORT is not a port.
        TemporaryError: the port is taken or the service is not there.
    """
    require_tools("kubectl")
    target = FORWARDS[name]
    port = os.environ.get("PORT") or str(target.local)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise PermanentError(f"PORT: {port!r} is not a port")
    say(f"{target.what}: http://127.0.0.1:{port}  (end with Ctrl-C)")
    if name == "argo-ui":
        token = cluster.kubectl("create", "token", "argo-ui", "--duration=12h").strip()
        say(f"log in with this token, good for 12 hours:\nBearer {token}")
    if name == "minio-ui":
        say(f"user and password: {cluster.secrets / 'lakepulse-s3.json'}")
    command = ("kubectl", "--context", cluster.context, "--namespace", NAMESPACE, "port-forward", "--address", "127.0.0.1")
    try:
        done = subprocess.run(
            [*command, f"service/{target.service}", f"{port}:{target.port}"], stdout=subprocess.DEVNULL, check=False
        )
    except KeyboardInterrupt:
        return
    raise TemporaryError(
        f"the port-forward to {target.service} ended with code {done.returncode}; is the cluster up (make cluster)?"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m k8s.cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["up", "down", "secrets", "images", *FORWARDS])
    command = parser.parse_args().command
    cluster = Cluster.from_environment()

    def step() -> None:
        match command:
            case "up":
                up(cluster)
            case "down":
                down(cluster)
            case "secrets":
                require_tools("kubectl")
                apply_secrets(cluster)
                say("applied; steps that start from now on have them")
            case "images":
                require_tools("docker")
                build()
            case name:
                forward(replace(cluster, kube_context=os.environ.get("KUBE_CONTEXT") or None), name)

    return run_step(step)


if __name__ == "__main__":
    sys.exit(main())
