"""Build and publish on a full disk and in a read-only folder: one clear line, and what was published stays.

A disk is a file system of its own in a mount namespace that ends with the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dbt.lake import ROOT, Lake, commit, first_load

UNSHARE = (shutil.which("unshare") or "unshare", "--map-root-user", "--mount", "sh", "-c")
# A copy of the folder with room for 32 KB; afterwards, with room, what is published is exported.
FULL = """
mount -t tmpfs -o size=1g tmpfs "$1" && cp -a "$1.copy/." "$1/" &&
mount -o remount,size=$(( $(du -sk "$1" | cut -f 1) + 32 ))k "$1" || exit 99
"$PYTHON" -m lakepulse_dbt "$3"; code=$?
mount -o remount,size=1g "$1"
"$PYTHON" -m lakepulse_dbt export "$2" 2>/dev/null || exit 98
exit $code
"""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99; exec "$PYTHON" -m lakepulse_dbt "$3"'

# dbt leaves its log file to the garbage collector when it is invoked again in one process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file .*dbt.log:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in.*dbt.log:pytest.PytestUnraisableExceptionWarning"),
]


def on_a_disk(lake: Lake, script: str, step: str, out: Path) -> str:
    """Run a step there, which must fail for good, and return the last line that it said."""
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("", "images/common", "dbt"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "PYTHON": sys.executable} | lake.environment()
    command = [*UNSHARE, script, "sh", str(lake.data_dir), str(out), step]
    done = subprocess.run(command, env=environment, cwd=lake.folder, capture_output=True, text=True, check=False)
    # A container without CAP_SYS_ADMIN cannot mount, and no unprivileged way to a full disk is known to us.
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("mount namespaces are not allowed here")
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:], done.stderr
    return lines[-1]


def exported(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}


def test_no_room_and_no_rights_leave_what_was_published(lake: Lake) -> None:
    first_load(lake)
    lake.build()
    lake.publish()
    lake.step("export", str(lake.folder / "before"))
    lake.load(commits=[commit("acme/lake", "z9", "2024-03-02", "ann")])
    lake.run_id = "run-2"
    for step in ("build", "publish"):
        shutil.copytree(lake.data_dir, lake.data_dir.with_name("data.copy"))
        assert "free space" in on_a_disk(lake, FULL, step, lake.folder / step)
        shutil.rmtree(lake.data_dir.with_name("data.copy"))
        assert exported(lake.folder / step) == exported(lake.folder / "before") != {}
        assert "Read-only file system" in on_a_disk(lake, READ_ONLY, step, lake.folder / step)
        lake.step(step)
    lake.step("export", str(lake.folder / "after"))
    assert exported(lake.folder / "after") != exported(lake.folder / "before")
