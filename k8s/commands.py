"""The console command `lakepulse cluster`: the local kind cluster, from making it to deleting it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from lakepulse.settings import load_settings
from lakepulse.step import run_step

cluster = App(
    name="cluster",
    help="""The local cluster: create it, open its services, delete it.

    Variables: CLUSTER_NAME (default: lakepulse), CLUSTER_DATA (folder of its data and secrets, default: .cluster),
    KIND_NODE_IMAGE (default: kind's own), ARGO_INSTALL (Argo's install manifest as a file, for a machine without internet).
    The ports also open another cluster, which KUBE_CONTEXT names.
    """,
)

_Port = Annotated[int | None, Parameter(env_var="PORT")]


@cluster.command
def up() -> int:
    """Make what is missing: cluster, images, Argo, services. Run again, it changes nothing."""
    settings = load_settings()

    def step() -> None:
        from k8s import lifecycle
        from k8s.cluster import Cluster

        lifecycle.up(Cluster.from_environment(), settings)

    return run_step(step)


@cluster.command
def down(*, keep_data: Annotated[bool, Parameter(env_var="KEEP_DATA", negative="--no-keep-data")] = True) -> int:
    """Delete the cluster.

    Args:
        keep_data: keep its data and secrets for the next cluster.
    """

    def step() -> None:
        from k8s import lifecycle
        from k8s.cluster import Cluster

        lifecycle.down(Cluster.from_environment(), keep_data=keep_data)

    return run_step(step)


@cluster.command
def secrets() -> int:
    """Apply the secrets alone, after GITHUB_TOKEN or WEBHOOK_URL was set."""
    settings = load_settings()

    def step() -> None:
        from k8s.cluster import Cluster
        from k8s.secrets import apply_secrets
        from k8s.tools import require_tools, say

        require_tools("kubectl")
        apply_secrets(Cluster.from_environment(), settings)
        say("applied; steps that start from now on use them")

    return run_step(step)


@cluster.command
def images() -> int:
    """Build the images alone, to push them to a registry of your own."""

    def step() -> None:
        from k8s.images import build
        from k8s.tools import require_tools

        require_tools("docker")
        build()

    return run_step(step)


@cluster.command
def argo_ui(*, port: _Port = None) -> int:
    """Forward a port to Argo's user interface and print the address.

    Args:
        port: of this machine; default: 2746.
    """
    return _forward("argo-ui", port)


@cluster.command
def dashboard(*, port: _Port = None) -> int:
    """Forward a port to the dashboard and print the address.

    Args:
        port: of this machine; default: 8501.
    """
    return _forward("dashboard", port)


@cluster.command
def trino(*, port: _Port = None) -> int:
    """Forward a port to Trino and print the address.

    Args:
        port: of this machine; default: 8080.
    """
    return _forward("trino", port)


@cluster.command
def minio_ui(*, port: _Port = None) -> int:
    """Forward a port to MinIO's console and print the address.

    Args:
        port: of this machine; default: 9001.
    """
    return _forward("minio-ui", port)


@cluster.command
def dbt_docs(*, port: _Port = None) -> int:
    """Forward a port to the models' documentation and print the address.

    Args:
        port: of this machine; default: 8085.
    """
    return _forward("dbt-docs", port)


def _forward(name: str, port: int | None) -> int:
    def step() -> None:
        from k8s.ports import forward

        forward(name, port)

    return run_step(step)
