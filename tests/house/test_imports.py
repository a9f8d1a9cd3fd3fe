"""Who may import whom."""

from __future__ import annotations

import graphlib
from pathlib import Path

import pytest

from tests.house.code import PACKAGES, Module, graph, modules

ALLOWED = {package: {package, "lakepulse"} for package in PACKAGES} | {"workflows": {"workflows", "lakepulse", "k8s"}}
"""Package -> the product's packages that it may import. The simulator runs in a bare Python container."""
ALLOWED["lakepulse_simulator"] = {"lakepulse_simulator"}


def circles(edges: dict[str, set[str]]) -> list[str]:
    """Import circles as `a -> b -> a`; without the first import of each there would be none."""
    left, found = {name: set(imported) for name, imported in edges.items()}, []
    while True:
        try:
            graphlib.TopologicalSorter(left).prepare()
        except graphlib.CycleError as error:
            # graphlib lists who is imported before who imports it.
            ring = list(reversed(error.args[1]))
            found.append(" -> ".join(ring))
            left[ring[0]].remove(ring[1])
        else:
            return found


def strangers(found: dict[str, Module]) -> list[str]:
    """Imports of a package that its importer may not know, as `file:line: name`."""
    return [
        f"{module.path}:{line}: {name}"
        for module in found.values()
        for name, line in sorted(module.imports(), key=lambda pair: pair[1])
        if (package := name.partition(".")[0]) in {*PACKAGES, "tests"} and package not in ALLOWED[module.package]
    ]


def test_no_modules_import_each_other() -> None:
    found = circles(graph(modules()))
    assert not found, "\n".join(found)


def test_no_stage_imports_another_and_none_imports_tests() -> None:
    found = strangers(modules())
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from lakepulse.second import x", "from lakepulse import first"),
        ("import lakepulse.second", "def f():\n    from lakepulse.first import y"),
        ("from .second import x", "from . import first"),
    ],
)
def test_a_circle_is_named(first: str, second: str) -> None:
    found = {
        name: Module(name, Path("images/common/lakepulse", f"{name.partition('.')[2]}.py"), source)
        for name, source in {"lakepulse.first": first, "lakepulse.second": second}.items()
    }
    assert circles(graph(found)) in (
        ["lakepulse.first -> lakepulse.second -> lakepulse.first"],
        ["lakepulse.second -> lakepulse.first -> lakepulse.second"],
    )


def test_an_import_for_types_alone_makes_no_circle() -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lakepulse.second import x\n"
    found = {
        "lakepulse.first": Module("lakepulse.first", Path("first.py"), source),
        "lakepulse.second": Module("lakepulse.second", Path("second.py"), "import lakepulse.first"),
    }
    assert circles(graph(found)) == []


def test_a_stage_that_imports_another_is_named() -> None:
    found = {
        "dashboard.app": Module(
            "dashboard.app", Path("dashboard/app.py"), "import os\nfrom spark_apps import a\nimport tests.x"
        ),
        "workflows.run": Module("workflows.run", Path("workflows/run.py"), "from k8s import cluster\nimport lakepulse.names"),
    }
    assert strangers(found) == ["dashboard/app.py:2: spark_apps.a", "dashboard/app.py:3: tests.x"]
