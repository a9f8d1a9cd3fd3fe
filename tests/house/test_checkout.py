"""The checkout is the same on every machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.house.code import ROOT


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout  # noqa: S607 - from the PATH


def test_line_ends_stay_where_git_is_set_to_convert_them(tmp_path: Path) -> None:
    """As Git for Windows is by default; the folder is then used from Linux."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    # The files as they are here, whether or not they are committed.
    git("-c", "core.autocrlf=true", "checkout-index", "--all", f"--prefix={tmp_path}/")
    names = [Path(name.decode()) for name in git("ls-files", "-z").split(b"\0") if name]
    texts = [name for name in names if name.suffix != ".png"]
    assert len(texts) > 300
    assert [str(name) for name in texts if b"\r\n" in (tmp_path / name).read_bytes()] == []
