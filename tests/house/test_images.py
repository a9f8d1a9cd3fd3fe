"""The images' one Dockerfile, without a Docker engine."""

from __future__ import annotations

import re

import pytest

from tests.house.code import PACKAGES, ROOT

LINES = (ROOT / "images" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()

CARRIES = {
    "fetch": {"lakepulse", "lakepulse_fetch"},
    "spark": {"lakepulse", "spark_apps"},
    "dbt": {"lakepulse", "lakepulse_dbt"},
    "answer": {"lakepulse", "lakepulse_answer"},
    "dashboard": {"lakepulse", "dashboard"},
    "simulator": {"lakepulse_simulator"},
}
"""Image -> the product's packages in it."""


def stages() -> dict[str, tuple[str, list[str]]]:
    """Name -> the stage that it starts from, and its other lines; the last has no name."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in LINES:
        if start := re.fullmatch(r"FROM (\S+)(?: AS (\S+))?", line):
            name = start[2] or ""
            found[name] = (start[1], [])
        elif name in found:
            found[name][1].append(line)
    return found


def lines_of(stage: str) -> list[str]:
    """All lines that make a stage, those that it starts from first."""
    origin, lines = stages()[stage]
    return [*(lines_of(origin) if origin in stages() else []), *lines]


def test_every_image_runs_as_its_own_user() -> None:
    assert stages()[""] == ("${STAGE}", ["RUN chmod -R a+rX /app", "USER 10001:10001"])
    assert not any(line.startswith("USER ") for stage in stages() if stage for line in lines_of(stage))


def test_bases_are_pinned_and_need_no_frontend() -> None:
    bases = {origin for origin, _ in stages().values()} - stages().keys() - {"${STAGE}"}
    assert bases == {"python:3.12-slim-bookworm"}
    assert not any(line.startswith("# syntax") for line in LINES), "a frontend that must be pulled"


def test_packages_are_installed_by_their_hashes_alone() -> None:
    installs = [line for line in LINES if " install " in line and "apt-get" not in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)


@pytest.mark.parametrize("stage", CARRIES)
def test_an_image_carries_its_own_code_alone(stage: str) -> None:
    lines = lines_of(stage)
    folders = {folder for line in lines if line.startswith("COPY ") and "--from" not in line for folder in line.split()[1:-1]}
    carried = {
        package
        for package, base in PACKAGES.items()
        if any((ROOT / folder) in (ROOT / base / package, *(ROOT / base / package).parents) for folder in folders)
    }
    assert carried == CARRIES[stage]
    copies_packages = any(line.startswith("COPY --from=") and "/opt/venv" in line for line in lines)
    assert copies_packages == (stage != "simulator"), "the simulator has the standard library alone"
