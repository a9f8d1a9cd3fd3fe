"""The tables of failures name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize(("page", "tests"), [("README.md", "."), ("fetch/README.md", "fetch")])
def test_a_page_names_existing_tests_only(page: str, tests: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (FOLDER / page).read_text(encoding="utf-8")))
    there = {
        name
        for path in (FOLDER / tests).rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert named <= there
