"""Each stage declares what it imports: its image installs the stage's group and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.house.code import ROOT

FOLDERS = {
    "fetch": ["images/fetch"],
    "spark": ["spark_apps"],
    "dbt": ["dbt"],
    "answer": ["images/answer"],
    "dashboard": ["dashboard"],
    "workflows": ["workflows", "k8s"],
}
"""Group of pyproject.toml -> the folders whose code runs with it and with images/common."""

NOT_THERE = {stage: ["--per-rule-ignores", "DEP004=sqlalchemy,DEP002=psycopg"] for stage in ("fetch", "dashboard", "workflows")}
"""The lock of a PostgreSQL catalog imports SQLAlchemy; no step of these stages takes it."""


@pytest.mark.parametrize("stage", FOLDERS)
def test_a_stage_declares_what_it_imports(stage: str) -> None:
    command = [
        sys.executable,
        "-m",
        "deptry",
        "--no-ansi",
        "images/common",
        *FOLDERS[stage],
        "--non-dev-dependency-groups",
        stage,
    ]
    done = subprocess.run([*command, *NOT_THERE.get(stage, [])], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_every_group_is_a_stage_or_for_development() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert set(groups) == {*FOLDERS, "dev"}
