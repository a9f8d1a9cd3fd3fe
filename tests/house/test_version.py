"""The version stands in pyproject.toml; what must repeat it says the same."""

from __future__ import annotations

import re
import tomllib

from tests.house.code import ROOT

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == VERSION
    assert len(set(versions)) == len(versions)


def test_manifests_name_the_images_of_this_version() -> None:
    files = [
        *(ROOT / "k8s").rglob("*.yaml"),
        *(ROOT / "workflows").rglob("*.yaml"),
        *(ROOT / "tests" / "cluster").glob("*.yaml"),
    ]
    named = {
        (path, tag) for path in files for tag in re.findall(r"lakepulse/[a-z]+:([\w.]+)", path.read_text(encoding="utf-8"))
    }
    assert named
    old = sorted(f"{path.relative_to(ROOT)}: {tag}" for path, tag in named if tag != VERSION)
    assert not old, "\n".join(old)
