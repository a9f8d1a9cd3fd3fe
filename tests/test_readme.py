"""What the pages for people name exists: tests, files, sections, make targets, settings, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakepulse.cli import COMMANDS
from lakepulse.settings import Settings

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
STAGES = ("images", "images/answer", "images/fetch", "images/simulator", "spark_apps", "dbt", "dashboard", "workflows", "k8s")
PAGES = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md", "tests/fetch/README.md")
] + [ROOT / folder / "README.md" for folder in STAGES]
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {target for line in re.findall(r"^([a-z0-9 -]+):.*## ", MAKEFILE, re.MULTILINE) for target in line.split()}


def anchors(page: Path) -> set[str]:
    """The sections of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "tests"), [("README.md", "."), ("fetch/README.md", "fetch")])
def test_a_page_names_existing_tests_only(page: str, tests: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (FOLDER / page).read_text(encoding="utf-8")))
    there = {
        name
        for path in (FOLDER / tests).rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert named - there == set()


@EACH_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, section = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (section and section not in anchors(target)):
            broken.append(link)
    assert broken == []


@EACH_PAGE
def test_make_targets_exist(page: Path) -> None:
    named = set(re.findall(r"(?:`|^)(?:[A-Z_]+=\S+ )?make ([a-z0-9-]+)", _code(page), re.MULTILINE))
    assert named - TARGETS == set()


@EACH_PAGE
def test_commands_exist(page: Path) -> None:
    named = set(re.findall(r"python -m lakepulse ([a-z]+)\b", _code(page)))
    assert named - {command.name for command in COMMANDS} == set()


def test_settings_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Settings") : text.index("## How data flows")]
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))
    of_make = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))
    assert named - {name.upper() for name in Settings.model_fields} - of_make == set()
    assert {"PROJECTS", "LOG_FORMAT", "SERVE"} <= named


@EACH_PAGE
def test_paths_in_code_exist(page: Path) -> None:
    """Paths from the repository's root, as in `dbt/alerts.yaml`; those with a placeholder or a pattern aside."""
    roots = {path.name for path in ROOT.iterdir() if path.is_dir()}
    text = re.sub(r"^`.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = {path for path in re.findall(r"`([\w.-]+/[\w./-]+)`", text) if path.partition("/")[0] in roots - {".data", ".venv"}}
    assert {path for path in named if not (ROOT / path).exists()} == set()


def _code(page: Path) -> str:
    """The code of a page: blocks and what stands in backticks, a line each."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *(f"`{code}`" for code in re.findall(r"`([^`\n]+)`", text))])


def test_the_page_of_a_stage_can_be_read_in_a_minute() -> None:
    sizes = {folder: len((ROOT / folder / "README.md").read_text(encoding="utf-8").splitlines()) for folder in STAGES}
    assert {folder: lines for folder, lines in sizes.items() if not 30 <= lines <= 70} == {}
