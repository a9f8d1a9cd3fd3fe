"""Modules import in one direction: no circles, no stage in the shared package."""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"lakepulse": ROOT / "images/common/lakepulse", "lakepulse_fetch": ROOT / "images/fetch/lakepulse_fetch"}


def modules(package: str) -> dict[str, ast.Module]:
    """Dotted name -> syntax tree of each module of a package."""
    folder = PACKAGES[package]
    names = {path: ".".join((package, *path.relative_to(folder).with_suffix("").parts)) for path in folder.rglob("*.py")}
    return {name.removesuffix(".__init__"): ast.parse(path.read_bytes()) for path, name in names.items()}


def imported(tree: ast.Module) -> set[str]:
    """Dotted names that a module imports, also within functions, but not for type checking alone."""
    found: set[str] = set()
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        left += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_through_others(package: str) -> None:
    trees = modules(package)
    graph = {name: (imported(tree) & trees.keys()) - {name} for name, tree in trees.items()}
    assert sum(map(len, graph.values())) > len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"import circle: {' -> '.join(circle.args[1])}")


def test_the_shared_package_imports_no_stage() -> None:
    stages = {"lakepulse_fetch", "lakepulse_dbt", "spark_apps", "workflows", "k8s", "dashboard", "lakepulse_simulator", "tests"}
    for name, tree in modules("lakepulse").items():
        assert not {found.partition(".")[0] for found in imported(tree)} & stages, name


def test_outcome_needs_the_standard_library_alone() -> None:
    """The build of the Spark image runs a step with that one module."""
    tops = {found.partition(".")[0] for found in imported(modules("lakepulse")["lakepulse.outcome"])}
    assert tops <= sys.stdlib_module_names
