"""The kind cluster that the environment describes.

Variables: CLUSTER_NAME (lakepulse), CLUSTER_DATA (.cluster), KIND_NODE_IMAGE (kind's own),
ARGO_INSTALL (Argo's install manifest as a file, for a machine without internet).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from k8s.tools import ROOT, run
from lakepulse.outcome import PermanentError

NAMESPACE = "lakepulse"
OVERLAY = ROOT / "k8s" / "overlays" / "kind"

_SERVER_SIDE = ("--server-side", "--force-conflicts", "--field-manager=lakepulse")


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

    @classmethod
    def from_environment(cls) -> Cluster:
        """The cluster that the variables describe.

        Raises:
            PermanentError: CLUSTER_NAME cannot be a kind cluster's name.
        """
        name = os.environ.get("CLUSTER_NAME") or "lakepulse"
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,49}", name):
            raise PermanentError(f"CLUSTER_NAME: {name!r} must be lowercase letters, digits, '.' and '-', at most 50")
        argo = os.environ.get("ARGO_INSTALL")
        return cls(
            name=name,
            folder=Path(os.environ.get("CLUSTER_DATA") or ROOT / ".cluster").expanduser().absolute(),
            node_image=os.environ.get("KIND_NODE_IMAGE") or None,
            argo_install=Path(argo).expanduser().absolute() if argo else None,
        )

    @property
    def context(self) -> str:
        """Its name in the kubeconfig."""
        return f"kind-{self.name}"

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

    def apply_folder(self, folder: Path) -> str:
        """Apply what kustomize makes of a folder."""
        return self.kubectl("apply", *_SERVER_SIDE, "-k", str(folder))
