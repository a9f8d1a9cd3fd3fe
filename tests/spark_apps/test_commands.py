"""The stage's commands: imported without Spark, and modules that do not import each other in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import structlog

from spark_apps import commands
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import issue, land

PACKAGE = Path(commands.__file__).parent


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command sends the logs to the test's stderr, which is closed after it."""
    yield
    structlog.reset_defaults()


def test_the_modules_have_no_import_circle() -> None:
    """Imports inside functions count: a circle through one is a circle."""
    imports: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        found = imports.setdefault(name, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spark_apps"):
                found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    assert {"spark_apps.jars", "spark_apps.load", "spark_apps.session"} <= imports["spark_apps.class_archive"]
    modules = {name: {used for used in found if used in imports} for name, found in imports.items()}
    TopologicalSorter(modules).prepare()  # raises CycleError and names the circle


def test_the_commands_are_imported_without_spark() -> None:
    script = "import sys, spark_apps.commands; sys.exit('pyspark' in sys.modules or 'py4j' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=PACKAGE.parent, check=False).returncode == 0


def test_an_unknown_table_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.load(tables="issues,nope") == 1
    assert capsys.readouterr().err.startswith("error: --tables: unknown nope; known: repo_snapshots, commits, ")


def test_load_and_maintain_as_commands(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(lake.settings.data_dir))
    monkeypatch.setenv("DEMO", "1")
    monkeypatch.setattr("spark_apps.load.open_session", lake.opened)
    monkeypatch.setattr("spark_apps.maintain.open_session", lake.opened)
    land(lake.store, "github_issues", [issue(1)])
    assert commands.load(tables="issues") == 0
    assert commands.load(tables="issues", replay=True) == 0
    assert [row["number"] for row in lake.rows("issues")] == [1]
    assert commands.maintain() == 0
