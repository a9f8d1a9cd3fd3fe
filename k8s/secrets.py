"""The cluster's secrets: kept beside its data, applied from there."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable

import yaml

from k8s.cluster import NAMESPACE, Cluster
from k8s.folder import claim
from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings


def apply_secrets(cluster: Cluster, settings: Settings) -> None:
    """Apply every secret; missing ones are generated or taken from the settings.

    Raises:
        PermanentError: the folder is not the cluster's, or a kept secret is damaged.
    """
    claim(cluster)
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
    """A kept secret, or None.

    Raises:
        PermanentError: its file is damaged.
    """
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
