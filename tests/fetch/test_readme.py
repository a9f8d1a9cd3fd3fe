"""The table of failures names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def test_the_table_names_existing_tests_only() -> None:
    named = set(re.findall(r"`(test_\w+)`", (FOLDER / "README.md").read_text(encoding="utf-8")))
    there = {
        name for path in FOLDER.glob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert named <= there
