"""Load on a full disk and in a read-only folder: one clear line, and main stays as it was.

A disk is a file system of its own in a mount namespace that ends with the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, commit, land

ROOT = Path(__file__).resolve().parents[2]
UNSHARE = (shutil.which("unshare") or "unshare", "--map-root-user", "--mount", "sh", "-c")
# A copy of the folder with room for so many KB; what the load leaves there is kept.
FULL = """
mount -t tmpfs -o size=1g tmpfs "$1" && cp -a "$1.copy/." "$1/" &&
mount -o remount,size=$(( $(du -sk "$1" | cut -f 1) + $2 ))k "$1" || exit 99
"$PYTHON" -m spark_apps.load; code=$?
mount -o remount,size=1g "$1"
mkdir "$1.left" && cp -a "$1/." "$1.left/" || exit 98
exit $code
"""
FULL_SCRATCH = """
mkdir "$1.scratch" && mount -t tmpfs -o size="$2k" tmpfs "$1.scratch" || exit 99
SPARK_LOCAL_DIRS="$1.scratch" exec "$PYTHON" -m spark_apps.load
"""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99; exec "$PYTHON" -m spark_apps.load'


def on_a_disk(lake: Lake, script: str, room: int = 0) -> str:
    """Run the step there, which must fail for good, and return the last line that it said."""
    folder = lake.settings.data_dir
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "images/common"))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "SPARK_JARS_DIR") if name in os.environ}
    own = {"PYTHONPATH": paths, "PYTHON": sys.executable, "DATA_DIR": str(folder), "DEMO": "1", "RUN_ID": "run-2"}
    done = subprocess.run(
        [*UNSHARE, script, "sh", str(folder), str(room)],
        env=kept | own,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    # A container without CAP_SYS_ADMIN cannot mount, and no unprivileged way to a full disk is known to us.
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("mount namespaces are not allowed here")
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:], done.stderr
    assert "Traceback" not in done.stderr
    assert "\tat " not in done.stderr
    assert len(lines) < 40, done.stderr
    return lines[-1]


def scene(lake: Lake) -> None:
    """A table with history, and landings that insert and update, of more bytes than any disk below has."""
    land(lake.store, "github_commits", [commit(f"{number:040x}") for number in range(100)])
    lake.load()
    more = [commit(os.urandom(20).hex(), message=os.urandom(50).hex()) for _ in range(5000)]
    changed = [commit(f"{number:040x}", author=None) for number in range(50)]
    land(lake.store, "github_commits", more, changed, started=at(60))


@pytest.mark.parametrize("room", [0, 40, 200])
def test_a_full_disk_leaves_main_as_it_was(lake: Lake, room: int) -> None:
    scene(lake)
    before = lake.rows("commits")
    folder = lake.settings.data_dir
    shutil.copytree(folder, folder.with_name("data.copy"))
    said = on_a_disk(lake, FULL, room)
    assert said.count("failed") == said.count("No space left on device") == 1
    assert "DATA_DIR" in said
    assert "; free space, then run again" in said
    shutil.rmtree(folder)
    folder.with_name("data.left").rename(folder)
    assert lake.rows("commits") == before
    lake.load()
    found = lake.content("commits")
    assert len(found) == len({(row["repo"], row["sha"]) for row in found}) == 5100
    shutil.rmtree(folder)
    folder.with_name("data.copy").rename(folder)
    lake.load()
    assert found == lake.content("commits")


def test_a_full_scratch_disk_leaves_main_as_it_was(lake: Lake) -> None:
    scene(lake)
    before = lake.rows("commits")
    assert "free space" in on_a_disk(lake, FULL_SCRATCH, 64)
    assert lake.rows("commits") == before
    lake.load()
    assert len(lake.rows("commits")) == 5100


def test_a_read_only_folder_is_one_clear_line(lake: Lake) -> None:
    scene(lake)
    before = lake.rows("commits")
    assert "Read-only file system" in on_a_disk(lake, READ_ONLY)
    assert lake.rows("commits") == before
