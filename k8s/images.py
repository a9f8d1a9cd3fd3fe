"""The images: built here, and brought onto the cluster's node."""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from k8s.argo_install import ARGO_IMAGES
from k8s.cluster import OVERLAY, Cluster
from k8s.tools import ROOT, run, say
from lakepulse.outcome import TemporaryError

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
"""Tag of every image."""

STAGES = ("fetch", "spark", "dbt", "dashboard")
"""Stages of `images/Dockerfile` that the cluster runs; each becomes the image `lakepulse/<stage>:<version>`."""

_LOADED = "/var/lib/lakepulse-images.json"
"""File on the node that lists what was loaded: a node names its images by other ids than Docker does."""


def image_name(stage: str) -> str:
    return f"lakepulse/{stage}:{VERSION}"


def build(stages: Sequence[str] = STAGES) -> list[str]:
    """Build the images; unchanged layers come from Docker's cache. Their names.

    Raises:
        TemporaryError: a build failed; the message has the end of its output.
    """
    names = []
    for stage in stages:
        started = time.monotonic()
        name = image_name(stage)
        chosen = ("--build-arg", f"STAGE={stage}", "--tag", name)
        command = ["docker", "build", "--quiet", "--file", "images/Dockerfile", *chosen, "."]
        # Docker before 23 does not use BuildKit by default, whose cache mounts the Dockerfiles need. An attestation has the
        # time in it, so that an unchanged image would still get another id.
        environment = os.environ | {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
        if done.returncode:
            raise TemporaryError(f"docker build of {name} failed: {' | '.join(done.stderr.strip().splitlines()[-8:])}")
        say(f"image {name} built in {time.monotonic() - started:.0f} s")
        names.append(name)
    return names


def load(cluster: Cluster, own: list[str]) -> dict[str, str]:
    """Bring images onto the node that it cannot or need not pull.

    `own` were built here. Others are loaded where the local engine has them, such as on a machine
    without internet; else the node pulls them.

    Returns:
        Name -> local id of our images that are new on the node, for `note`; the others are noted already.
    """
    there = _noted(cluster)
    local = {name: identifier for name in own + other_images() if (identifier := local_image(name))}
    wanted = [name for name, identifier in local.items() if there.get(full_name(name)) != identifier]
    # Together, so that layers that they share are copied once.
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
        new = {name: local[name] for name in group}
        if set(group) <= set(own):
            loaded = new
        else:
            note(cluster, new)
    return loaded


def note(cluster: Cluster, loaded: dict[str, str]) -> None:
    """Write down on the node which images `load` brought there."""
    if loaded:
        noted = _noted(cluster) | {full_name(name): identifier for name, identifier in loaded.items()}
        run("docker", "exec", "--interactive", cluster.node, "tee", _LOADED, text=json.dumps(noted))


def pull(cluster: Cluster) -> None:
    """Have the node pull the other images now, so that a slow line is not taken for a service that does not start.

    Raises:
        TemporaryError: an image cannot be pulled.
    """
    there = _listed(cluster)
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


def _listed(cluster: Cluster) -> set[str]:
    """Names of the images on the node."""
    return set(run("docker", "exec", cluster.node, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet").split())


def _noted(cluster: Cluster) -> dict[str, str]:
    """Name -> local id of the images on the node that `load` brought there."""
    names = _listed(cluster)
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
    return sorted({name for name in named if not name.startswith("lakepulse/")} | set(ARGO_IMAGES))


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
