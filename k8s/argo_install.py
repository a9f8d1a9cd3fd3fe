"""Argo Workflows on the cluster: its version, its manifest, its installation."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import httpx
import stamina
import yaml

from k8s.cluster import NAMESPACE, Cluster
from k8s.tools import ROOT, run, say
from lakepulse.outcome import PermanentError, TemporaryError

ARGO_VERSION = "v4.1.2"
ARGO_MANIFEST = f"https://github.com/argoproj/argo-workflows/releases/download/{ARGO_VERSION}/namespace-install.yaml"
ARGO_IMAGES = tuple(f"quay.io/argoproj/{name}:{ARGO_VERSION}" for name in ("workflow-controller", "argoexec", "argocli"))

_CRDS = ("crd/workflows.argoproj.io", "crd/workflowtemplates.argoproj.io", "crd/cronworkflows.argoproj.io")


def install_argo(cluster: Cluster) -> None:
    """Apply Argo's namespaced install with our changes to it.

    Raises:
        PermanentError: ARGO_INSTALL cannot be read.
        TemporaryError: the manifest cannot be downloaded or applied.
    """
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
    # A definition's conditions are null at first, on which kubectl fails instead of waiting.
    for attempt in stamina.retry_context(on=TemporaryError, attempts=None, timeout=180, wait_max=2):
        with attempt:
            cluster.kubectl("wait", "--for=condition=Established", "--timeout=180s", *_CRDS)


def argo_manifest(cluster: Cluster) -> bytes:
    """Argo's install manifest: ARGO_INSTALL, or the release's, downloaded once and kept.

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
