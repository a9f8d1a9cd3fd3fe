"""The project list: what is watched. One YAML file that a user edits.

```yaml
projects:
  - name: Apache Iceberg
    repos: [apache/iceberg, apache/iceberg-python]
    packages: [pyiceberg]
```
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import InvalidName, canonicalize_name

from lakepulse.outcome import PermanentError

# GitHub: a login is alphanumeric with single inner hyphens; a repository name may also hold . and _.
_REPO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_PACKAGE_LENGTH = 128
_NAME_LENGTH = 80
_KEYS = ("name", "repos", "packages")


@dataclass(frozen=True, slots=True)
class Project:
    """One entry of the list. `repos` are `owner/name`, `packages` normalised PyPI names."""

    name: str
    repos: tuple[str, ...]
    packages: tuple[str, ...]


def repos_of(projects: tuple[Project, ...]) -> list[str]:
    """Every repo of the list, in its order."""
    return [repo for project in projects for repo in project.repos]


def packages_of(projects: tuple[Project, ...]) -> list[str]:
    """Every package of the list, in its order."""
    return [package for project in projects for package in project.packages]


def load_projects(path: Path) -> tuple[Project, ...]:
    """Read and check a project list.

    Raises:
        PermanentError: the file cannot be read, is not YAML, or has an unknown key, a
            duplicate or a malformed name; the message gives file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(f"cannot read the project list {path}: {error}; set PROJECTS to a readable file") from error
    return parse_projects(text, str(path))


def parse_projects(text: str, where: str) -> tuple[Project, ...]:
    """Parse the list's YAML; `where` names the file in messages.

    Raises:
        PermanentError: as in `load_projects`.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PermanentError(f"{where}:{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PermanentError(f"{where}: not valid YAML: {error}") from error
    return _Reader(where).read(root)


class _Reader:
    """Walks YAML nodes, not values, since only nodes know their line."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.seen: dict[tuple[str, str], int] = {}

    def fail(self, node: Any, problem: str) -> PermanentError:
        line = node.start_mark.line + 1 if node is not None else 1
        return PermanentError(f"{self.where}:{line}: {problem}")

    def read(self, root: Any) -> tuple[Project, ...]:
        entries = self.mapping(root, "the file", ("projects",))
        if "projects" not in entries:
            raise self.fail(root, "the file needs the key 'projects'")
        node = entries["projects"]
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.fail(node, "'projects' must be a list with at least one entry")
        return tuple(self.project(entry) for entry in node.value)

    def mapping(self, node: Any, what: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self.fail(node, f"{what} must be a mapping with the keys {', '.join(allowed)}")
        entries: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in allowed:
                raise self.fail(key, f"unknown key {name!r}; allowed here: {', '.join(allowed)}")
            if name in entries:
                raise self.fail(key, f"the key {name!r} is given twice")
            entries[name] = value
        return entries

    def once(self, kind: str, value: str, node: Any) -> str:
        # GitHub and PyPI compare names without case.
        key = (kind, value.casefold())
        if key in self.seen:
            raise self.fail(node, f"{kind} {value!r} is already listed in line {self.seen[key]}")
        self.seen[key] = node.start_mark.line + 1
        return value

    def text(self, node: Any, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.fail(node, f"{what} must be a non-empty text")
        return str(node.value)

    def project(self, node: Any) -> Project:
        entries = self.mapping(node, "a project", _KEYS)
        if "name" not in entries:
            raise self.fail(node, "a project needs a 'name'")
        name = self.text(entries["name"], "'name'")
        if len(name) > _NAME_LENGTH or not name.isprintable() or name != name.strip():
            raise self.fail(entries["name"], f"malformed project name {name!r}: printable, at most {_NAME_LENGTH} characters")
        self.once("project", name, entries["name"])
        repos = tuple(self.names(entries.get("repos"), "repo", _repo, "owner/name"))
        packages = tuple(self.names(entries.get("packages"), "package", _package, "a PyPI name"))
        if not repos and not packages:
            raise self.fail(node, f"project {name!r} has neither repos nor packages")
        return Project(name, repos, packages)

    def names(self, node: Any, kind: str, checked: Callable[[str], str | None], form: str) -> list[str]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.fail(node, f"'{kind}s' must be a list")
        found: list[str] = []
        for item in node.value:
            given = self.text(item, f"a {kind}")
            name = checked(given)
            if name is None:
                raise self.fail(item, f"malformed {kind} {given!r}: expected {form}")
            found.append(self.once(kind, name, item))
        return found


def _repo(value: str) -> str | None:
    return value if _REPO.fullmatch(value) else None


def _package(value: str) -> str | None:
    """The normalised name; None if it is not one."""
    try:
        return canonicalize_name(value, validate=True) if len(value) <= _PACKAGE_LENGTH else None
    except InvalidName:
        return None
