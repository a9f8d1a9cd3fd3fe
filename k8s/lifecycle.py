"""The life of the cluster: `up` makes what is missing, `down` deletes it."""

from __future__ import annotations

import time
from pathlib import Path

from k8s import folder, images, node
from k8s.argo_install import install_argo
from k8s.cluster import NAMESPACE, OVERLAY, Cluster
from k8s.secrets import apply_secrets
from k8s.tools import ROOT, require_tools, run, say
from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.settings import Settings

_DEPLOYMENTS = {"dashboard": "deployment.apps/dashboard", "dbt": "deployment.apps/dbt-docs"}
"""Stage -> the deployment that always runs its image; other pods are made for each step."""


def up(cluster: Cluster, settings: Settings) -> None:
    """Make the cluster, or what it lacks.

    Raises:
        PermanentError: a tool is missing, or folder and cluster do not belong together.
        TemporaryError: something did not become ready.
    """
    require_tools("docker", "kind", "kubectl")
    folder.claim(cluster)
    if node.exists(cluster):
        node.start(cluster)
    else:
        say(f"making the kind cluster {cluster.name}")
        node.create(cluster)
    node.own_folders(cluster)
    loaded = images.load(cluster, images.build())
    images.pull(cluster)
    cluster.apply((ROOT / "k8s" / "base" / "namespace.yaml").read_text(encoding="utf-8"))
    apply_secrets(cluster, settings)
    install_argo(cluster)
    before = cluster.kubectl("get", "deployments", "-o", "name").split()
    say(f"applying {OVERLAY.relative_to(ROOT)}")
    cluster.apply_folder(OVERLAY)
    for stage, deployment in _DEPLOYMENTS.items():
        # The same tag with other content: only new pods take it.
        if images.image_name(stage) in loaded and deployment in before:
            cluster.kubectl("rollout", "restart", deployment)
    # Not before: if this run ended half-way, the next one must restart them.
    images.note(cluster, loaded)
    wait(cluster)
    say(
        f"\nThe cluster is ready (context {cluster.context}, namespace {NAMESPACE}). Next:\n"
        "  make submit PIPELINE=daily   run the pipeline once; its schedule does so every day\n"
        "  make status                  last runs, next times, pods in trouble\n"
        "  make dashboard               open the dashboard\n"
        "  make argo-ui                 watch workflows\n"
        f"Data and secrets are in {cluster.folder}; `make cluster-down` keeps them."
    )


def wait(cluster: Cluster, seconds: int = 600) -> None:
    """Wait until every service is ready.

    Raises:
        TemporaryError: one is not; the message lists the pods.
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


def down(cluster: Cluster, *, keep_data: bool) -> None:
    """Delete the cluster, and what it stored unless `keep_data`.

    Raises:
        PermanentError: a tool is missing, the cluster or the data is not ours, or data is left that only root may delete.
    """
    require_tools("docker", "kind")
    exists = node.exists(cluster)
    data = node.mounted(cluster) if exists else cluster.folder
    if keep_data:
        _delete(cluster, exists)
        say(f"data and secrets are kept in {data}; KEEP_DATA=0 deletes them")
        return
    paths = folder.removable(cluster)
    if exists and (paths or data != cluster.folder):
        run("docker", "start", cluster.node)
        node.require_own_data(cluster)
    if paths:
        say("\n".join((f"deleting the data and secrets of the cluster {cluster.name}:", *(f"  {path}" for path in paths))))
    if exists and paths:
        node.clear_folders(cluster)
    _delete(cluster, exists)
    if paths:
        folder.remove(cluster, paths, lambda locked: _clear(cluster, locked))
    else:
        say(f"no data in {cluster.folder}")


def _delete(cluster: Cluster, exists: bool) -> None:
    if exists:
        run("kind", "delete", "cluster", "--name", cluster.name)
        say(f"deleted the cluster {cluster.name}")
    else:
        say(f"no cluster {cluster.name}")


def _clear(cluster: Cluster, locked: list[Path]) -> None:
    """Delete folders of the pods' users without a node: as root in a container."""
    image = images.image_name("fetch")
    if images.local_image(image) is None:
        raise PermanentError(
            f"the data belongs to the pods' users, and the image {image} that could delete it does not exist: "
            f"sudo rm -rf {' '.join(map(str, locked))}, then run again"
        )
    mounted = ("--volume", f"{cluster.data}:/data", "--entrypoint", "rm", image)
    run("docker", "run", "--rm", "--pull=never", "--user", "0", *mounted, "-rf", *(f"/data/{path.name}" for path in locked))
