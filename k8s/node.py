"""The kind cluster's one node: making it, starting it again, and whose data it mounts."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import yaml

from k8s.cluster import Cluster
from k8s.folder import CARD, OWNERS, is_card_of
from k8s.tools import ROOT, run
from lakepulse.outcome import PermanentError, TemporaryError

_MOUNT = "/var/lakepulse"
"""Where kind-config.yaml mounts the data folder."""

_SOURCE = f'{{{{range .Mounts}}}}{{{{if eq .Destination "{_MOUNT}"}}}}{{{{.Source}}}}{{{{end}}}}{{{{end}}}}'
"""Docker's template for the host folder that is mounted there."""


def exists(cluster: Cluster) -> bool:
    return cluster.name in run("kind", "get", "clusters").split()


def create(cluster: Cluster) -> None:
    """Create the cluster from kind-config.yaml with the data folder's absolute path in it."""
    config = yaml.safe_load((ROOT / "kind-config.yaml").read_text(encoding="utf-8"))
    config["name"] = cluster.name
    config["nodes"][0]["extraMounts"][0]["hostPath"] = str(cluster.data)
    image = ("--image", cluster.node_image) if cluster.node_image else ()
    run("kind", "create", "cluster", "--config", "-", "--wait", "180s", *image, text=yaml.safe_dump(config))


def mounted(cluster: Cluster) -> Path:
    """The host folder that holds the cluster's data and secrets.

    Raises:
        PermanentError: the node mounts none, so it is not a cluster of ours.
    """
    source = run("docker", "inspect", "--format", _SOURCE, cluster.node).strip()
    if not source:
        raise PermanentError(f"the kind cluster {cluster.name} was not made by lakepulse; set another CLUSTER_NAME")
    return Path(source).parent


def require_own_data(cluster: Cluster) -> None:
    """Check that the running node mounts the data folder of `cluster`.

    Raises:
        PermanentError: it mounts another one.
    """
    folder = mounted(cluster)
    card = run("docker", "exec", cluster.node, "sh", "-c", f"cat {_MOUNT}/{CARD} 2>/dev/null || true")
    # Paths do not decide: Docker Desktop puts a prefix of its own before the host's.
    if not is_card_of(cluster, card):
        raise PermanentError(
            f"the cluster {cluster.name} keeps its data in {folder}, not in {cluster.folder}; "
            f"set CLUSTER_DATA={folder}, or delete the cluster first: make cluster-down"
        )


def start(cluster: Cluster, seconds: int = 180) -> None:
    """Start the node if it was stopped, as after a reboot, and wait until the API server is up to date.

    Raises:
        PermanentError: it was made with another data folder.
        TemporaryError: it does not answer.
    """
    run("docker", "start", cluster.node)
    require_own_data(cluster)
    if not _is_known(cluster):
        run("kind", "export", "kubeconfig", "--name", cluster.name)
    deadline = time.monotonic() + seconds
    while True:
        try:
            cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=5s")
            # A clock that was set back would make them stale for ever; `wait` checks what matters later.
            if not stale_pods(cluster) or time.monotonic() >= deadline:
                return
        except TemporaryError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(2)


def _is_known(cluster: Cluster) -> bool:
    """Is the cluster in the kubeconfig? It may have been made with another one."""
    command = ["kubectl", "config", "get-contexts", cluster.context]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def stale_pods(cluster: Cluster) -> list[str]:
    """Pods that the API server still reports as running from before the node started.

    None of their containers runs any more, but it shows them until the kubelet has looked.
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
    """Give each data folder to the user of its pod, which the node's root may do on every host."""
    for folder, user in OWNERS.items():
        path = f"{_MOUNT}/{folder}"
        run("docker", "exec", cluster.node, "install", "--directory", "--mode=0700", f"--owner={user}", f"--group={user}", path)


def clear_folders(cluster: Cluster) -> None:
    """Delete the data folders as the node's root: their files belong to the pods' users."""
    run("docker", "exec", cluster.node, "rm", "-rf", *(f"{_MOUNT}/{folder}" for folder in OWNERS))
