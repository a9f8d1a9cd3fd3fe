"""The product's Python modules as data: names, imports, strings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = {
    "lakepulse": "images/common",
    "lakepulse_fetch": "images/fetch",
    "lakepulse_simulator": "images/simulator",
    "spark_apps": ".",
    "lakepulse_dbt": "dbt",
    "lakepulse_answer": "images/answer",
    "dashboard": ".",
    "workflows": ".",
    "k8s": ".",
}
"""Package of the product -> the folder on PYTHONPATH that it lies in."""


@dataclass(frozen=True)
class Module:
    """A module: its dotted name and its path from the repository's root."""

    name: str
    path: Path
    source: str

    @property
    def package(self) -> str:
        """The package of the product that it belongs to."""
        return self.name.partition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, str(self.path))

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported name with its line, inside functions too; `from a import b` gives `a.b`, whether b is a module or not.

        What stands under `if TYPE_CHECKING` is never imported.
        """
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
                waiting += node.orelse
                continue
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((f"{self._origin(node)}.{alias.name}", node.lineno) for alias in node.names)
            waiting += ast.iter_child_nodes(node)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = self.name.split(".")
        # The name of a package is that of its __init__, from which one dot means the package itself.
        base = here[: len(here) - node.level + (self.path.name == "__init__.py")]
        return ".".join([*base, *([node.module] if node.module else [])])


def modules(root: Path = ROOT) -> dict[str, Module]:
    """Every module of the product by its dotted name."""
    found = {}
    for package, folder in PACKAGES.items():
        base = root / folder
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path.relative_to(root), path.read_text(encoding="utf-8"))
    return found


def graph(found: dict[str, Module]) -> dict[str, set[str]]:
    """Module -> the product's modules that it imports by name.

    That a module's package is imported before it is not an import of its own: an `__init__` may gather its modules.
    """
    edges: dict[str, set[str]] = {}
    for module in found.values():
        named = {name if name in found else name.rpartition(".")[0] for name, _ in module.imports()}
        edges[module.name] = {name for name in named if name in found and name != module.name}
    return edges
