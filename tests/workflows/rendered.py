"""The rendered manifests as they are in git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from workflows import argo

Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


RENDERED = [document for path in sorted(argo.RENDERED.glob("*.yaml")) for document in documents(path)]
TEMPLATES = {document["metadata"]["name"]: document for document in RENDERED if document["kind"] == "WorkflowTemplate"}
SCHEDULES = {document["metadata"]["name"]: document for document in RENDERED if document["kind"] == "CronWorkflow"}


def containers(template: Document) -> Iterator[Document]:
    """The templates that become pods."""
    yield from (inner for inner in template["spec"]["templates"] if "container" in inner)
