"""Runs the product as a user does: its commands, as processes, on a folder of their own."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lakepulse.settings import Settings
from lakepulse_simulator import Simulator
from tests.truth.gold import Break

ROOT = Path(__file__).resolve().parents[2]
CLOCK_TABLES = {"fct_data_freshness", "fct_data_quality"}
"""The two tables that tell when something was looked at; they may differ between two runs."""

Row = dict[str, Any]
Gold = dict[str, list[Row]]

_PYTHONPATH = os.pathsep.join(str(ROOT / part) for part in ("", "images/common", "images/fetch", "images/simulator", "dbt"))
_SETTINGS = {name.upper() for name in Settings.model_fields}


@dataclass(frozen=True)
class Installation:
    """A data folder and the settings that its commands are run with."""

    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict)

    def with_settings(self, **settings: str) -> Installation:
        """The same folder under other settings."""
        return replace(self, settings=self.settings | settings)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m <arguments>` under these settings and none of the developer's."""
        kept = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            env=kept | {"DATA_DIR": str(self.data_dir), "PYTHONPATH": _PYTHONPATH} | self.settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def make(self, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make <target>` of a user who names the folder and, beside `variables`, no setting."""
        kept = {name: value for name, value in os.environ.items() if name not in _SETTINGS | {"MAKEFLAGS"}}
        command = ["make", "--directory", str(ROOT), target, f"DATA_DIR={self.data_dir}"]
        return subprocess.run(command, env=kept | variables, capture_output=True, text=True, timeout=900, check=False)

    def run(self, as_of: date, pipeline: str = "daily", **settings: str) -> str:
        """Run a pipeline and return what it printed; a run that failed fails the test."""
        ended = self.with_settings(AS_OF=as_of.isoformat(), **settings).command("workflows", "run", pipeline)
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def gold(self, out: Path) -> Gold:
        """Every gold table of the newest publication, as rows in the order of the export."""
        ended = self.command("lakepulse_dbt", "export", str(out))
        assert ended.returncode == 0, ended.stderr
        return {path.stem: pq.read_table(path).to_pylist() for path in sorted(out.glob("*.parquet"))}


def project_list(path: Path, repos: list[str], packages: list[str]) -> Path:
    """Write a project list with one project."""
    path.write_text(json.dumps({"projects": [{"name": "Watched", "repos": repos, "packages": packages}]}), encoding="utf-8")
    return path


def pointed_at(simulator: Simulator, folder: Path) -> Installation:
    """An installation in `folder` that watches all that a simulator serves."""
    folder.mkdir(exist_ok=True)
    names = project_list(
        folder / "projects.yaml", sorted(repo.name for repo in simulator.world.repos.values()), sorted(simulator.world.packages)
    )
    settings = simulator.environment() | {"PROJECTS": str(names), "GITHUB_TOKEN": "token-of-the-test", "DEMO": "1"}
    return Installation(folder / "data", settings)


def but_the_clock(gold: Gold) -> Gold:
    """Gold without the tables that tell the clock."""
    return {table: rows for table, rows in gold.items() if table not in CLOCK_TABLES}


def seed(name: str) -> list[dict[str, str]]:
    """The rows of a dbt seed."""
    with (ROOT / "dbt" / "seeds" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def breaks() -> list[Break]:
    """The known breaks of download counts, from the seed."""
    return [
        Break(
            row["scope"] or None, date.fromisoformat(row["from_date"]), date.fromisoformat(row["to_date"] or row["from_date"])
        )
        for row in seed("known_breaks")
        if row["source"] == "pypistats"
    ]
