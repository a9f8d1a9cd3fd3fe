"""Copies of the repository that a test may break, and the commands that must notice."""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode

import duckdb

from tests.dbt import rendering
from tests.house.code import PACKAGES, ROOT

_FOLDERS = ("images", "spark_apps", "dbt", "dashboard", "workflows", "k8s")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "target", "logs", "*.png", ".user.yml")


def copied(to: Path) -> Path:
    """A copy of the product's folders below `to`; returns `to`."""
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, to / name, ignore=_LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", to)  # has the images' version
    # By hash: a file that is changed and restored within a second would be taken for its old bytecode.
    compileall.compile_dir(to, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return to


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages of a copy, and with none of the developer's settings."""
    folders = dict.fromkeys([".", *PACKAGES.values()])
    return subprocess.run(
        [sys.executable, *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(tree / folder) for folder in folders),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATA_DIR": str(tree / "data"),
        },
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=600,  # a busy machine
        check=False,
    )


def lakepulse(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a console command of a copy."""
    return python(tree, "-m", "lakepulse", *arguments)


@contextmanager
def empty_lake() -> Iterator[tuple[duckdb.DuckDBPyConnection, rendering.Rendering]]:
    """Bronze tables and seeds without rows, in memory, and what renders models for them."""
    with rendering.database() as connection:
        rendering.bronze(connection)
        for path in (ROOT / "dbt" / "seeds").glob("*.csv"):
            header = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
            types = {name: "date" if name.endswith("_date") else "varchar" for name in header}
            rendering.table(connection, path.stem, [], **types)
        yield connection, rendering.Rendering("2026-11-01", [{"project": "Harbour", "kind": "repo", "name": "acme/harbour"}])
