"""What `lakepulse cluster down` deletes, and what it leaves alone, with a docker and a kind that note their calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from k8s.cluster import Cluster
from k8s.folder import CARD, claim, removable
from k8s.lifecycle import down
from k8s.secrets import write_secret
from lakepulse.outcome import PermanentError

ROOT = Path(__file__).resolve().parents[2]

DOCKER = """#!/bin/sh
echo "docker $*" >> "$CALLS"
case "$1" in
    inspect) [ -z "$MOUNTED" ] || echo "$MOUNTED" ;;
    exec) card="$MOUNTED/lakepulse-cluster.json"; case "$*" in *cat*) [ ! -e "$card" ] || /bin/cat "$card" ;; esac ;;
    image) [ -z "$IMAGE" ] || echo sha256:1 ;;
esac
"""
KIND = """#!/bin/sh
echo "kind $*" >> "$CALLS"
[ "$*" != "get clusters" ] || echo "$CLUSTERS"
"""


@dataclass
class Shell:
    """Runs `down` with a folder of kept data; `mounted` is what the node of a cluster of the same name mounts."""

    folder: Path

    @property
    def kept(self) -> Path:
        return self.folder / "kept"

    @property
    def cluster(self) -> Cluster:
        return Cluster("lakepulse", self.kept)

    def fill(self) -> list[Path]:
        """Make the folder as `up` does, with data and secrets in it; the files."""
        claim(self.cluster)
        for name in ("minio", "postgres"):
            (self.cluster.data / name).mkdir()
            (self.cluster.data / name / "object").write_text("data", encoding="utf-8")
        write_secret(self.cluster, "lakepulse-s3", {"AWS_ACCESS_KEY_ID": "a"})
        (self.kept / "argo-v4.1.2.yaml").write_text("kind: List\n", encoding="utf-8")
        return self.files()

    def files(self) -> list[Path]:
        return sorted(path for path in self.kept.rglob("*") if path.is_file())

    def environment(self, *, exists: bool, mounted: Path | None = None, image: str = "") -> dict[str, str]:
        """Tools, and what they answer."""
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        for name, text in (("docker", DOCKER), ("kind", KIND)):
            (tools / name).write_text(text, encoding="utf-8")
            (tools / name).chmod(0o755)
        return {
            "PATH": str(tools),
            "CALLS": str(self.folder / "calls"),
            "CLUSTERS": "lakepulse" if exists else "",
            "MOUNTED": str(mounted or ""),
            "IMAGE": image,
        }

    def down(self, *, keep: bool, mounted: Path | None = None, exists: bool = True) -> subprocess.CompletedProcess[str]:
        environment = self.environment(exists=exists, mounted=mounted) | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "images" / "common")]),
            "CLUSTER_DATA": str(self.kept),
            "KEEP_DATA": "1" if keep else "0",
        }
        command = [sys.executable, "-m", "lakepulse", "cluster", "down"]
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)

    @property
    def calls(self) -> str:
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def refused(done: subprocess.CompletedProcess[str], shell: Shell) -> str:
    """The one line of a `down` that deleted nothing."""
    assert done.returncode == 1, done.stdout
    assert "delete cluster" not in shell.calls
    assert "rm -rf" not in shell.calls
    assert "removed" not in done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_the_data_is_kept_unless_asked(shell: Shell) -> None:
    before = shell.fill()
    done = shell.down(keep=True, mounted=shell.cluster.data)
    assert done.returncode == 0, done.stderr
    assert "kind delete cluster --name lakepulse" in shell.calls
    assert shell.files() == before
    assert f"kept in {shell.kept}" in done.stdout


def test_what_lakepulse_made_is_listed_and_deleted(shell: Shell) -> None:
    before = shell.fill()
    done = shell.down(keep=False, mounted=shell.cluster.data)
    assert done.returncode == 0, done.stderr
    assert not shell.kept.exists()
    listed = done.stdout.partition("deleted the cluster")[0]
    for path in before:
        assert any(str(parent) in listed.split() for parent in (path, path.parent)), f"{path} was deleted and not listed"
    assert "rm -rf /var/lakepulse/minio /var/lakepulse/postgres" in shell.calls
    assert "removed 5 of 5" in done.stdout


def test_a_folder_that_lakepulse_did_not_make_is_left_alone(shell: Shell) -> None:
    photo = shell.kept / "photos" / "a"
    photo.parent.mkdir(parents=True)
    photo.write_text("precious", encoding="utf-8")
    line = refused(shell.down(keep=False, exists=False), shell)
    assert f"CLUSTER_DATA: {shell.kept} has no data/{CARD}" in line
    assert photo.exists()


def test_another_checkouts_data_is_left_alone(shell: Shell, tmp_path: Path) -> None:
    other = Shell(tmp_path / "other")
    other.folder.mkdir()
    kept = other.fill()
    mine = shell.fill()
    line = refused(shell.down(keep=False, mounted=other.cluster.data), shell)
    assert f"keeps its data in {other.kept}, not in {shell.kept}" in line
    assert (other.files(), shell.files()) == (kept, mine)


def test_another_checkouts_data_is_left_alone_without_a_folder_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    line = refused(shell.down(keep=False, mounted=tmp_path / "other" / "data"), shell)
    assert f"keeps its data in {tmp_path / 'other'}" in line


def test_keeping_names_the_folder_that_holds_the_data(shell: Shell, tmp_path: Path) -> None:
    done = shell.down(keep=True, mounted=tmp_path / "other" / "data")
    assert done.returncode == 0, done.stderr
    assert f"kept in {tmp_path / 'other'};" in done.stdout


def test_a_cluster_that_lakepulse_did_not_make_is_left_alone(shell: Shell) -> None:
    assert "was not made by lakepulse" in refused(shell.down(keep=True, mounted=None), shell)


def test_another_clusters_folder_is_left_alone(shell: Shell) -> None:
    claim(Cluster("staging", shell.kept))
    before = shell.files()
    line = refused(shell.down(keep=False, exists=False), shell)
    assert "belongs to the cluster staging, not to lakepulse" in line
    assert shell.files() == before


def test_a_damaged_card_deletes_nothing(shell: Shell) -> None:
    before = shell.fill()
    (shell.cluster.data / CARD).write_text('{"made_by": "lakepulse"}', encoding="utf-8")
    assert "is damaged" in refused(shell.down(keep=False, exists=False), shell)
    assert shell.files() == before


def test_foreign_files_among_ours_stay_and_are_named(shell: Shell) -> None:
    shell.fill()
    foreign = [shell.kept / "notes.txt", shell.cluster.data / "backup", shell.cluster.secrets / "id_rsa"]
    for path in foreign:
        path.write_text("mine", encoding="utf-8")
    done = shell.down(keep=False, exists=False)
    assert done.returncode == 0, done.stderr
    assert shell.files() == sorted(foreign)
    assert all(str(path) in done.stdout.splitlines()[-1] for path in foreign)


def test_a_second_time_there_is_nothing_to_delete(shell: Shell) -> None:
    shell.fill()
    assert shell.down(keep=False, exists=False).returncode == 0
    done = shell.down(keep=False, exists=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "removed" not in done.stdout
    assert "no cluster lakepulse" in done.stdout
    assert f"no data in {shell.kept}" in done.stdout


@pytest.mark.parametrize("image", ["", "yes"])
def test_data_of_the_pods_users_is_deleted_by_our_own_image(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], image: str
) -> None:
    shell.fill()
    locked = [shell.cluster.data / "minio", shell.cluster.data / "postgres"]
    for name, value in shell.environment(exists=False, image=image).items():
        monkeypatch.setenv(name, value)
    # As for a user who may not look into them.
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(PermanentError) as raised:
        down(shell.cluster, keep_data=False)
    if image:
        assert f"docker run --rm --pull=never --user 0 --volume {shell.cluster.data}:/data" in shell.calls
        assert "-rf /data/minio /data/postgres" in shell.calls
        assert "removed 2 of 5" in capsys.readouterr().out, "our docker deletes nothing"
        assert f"could not remove {locked[0]}, {locked[1]}" in str(raised.value)
    else:
        assert str(raised.value).endswith(f"sudo rm -rf {locked[0]} {locked[1]}, then run again")
        assert "removed" not in capsys.readouterr().out
    assert (shell.cluster.data / CARD).exists(), "without it the next try would refuse"


def test_a_folder_of_an_older_version_gets_its_card(tmp_path: Path) -> None:
    cluster = Cluster("lakepulse", tmp_path / "kept")
    for folder in ("data/minio", "data/postgres", "secrets"):
        (cluster.folder / folder).mkdir(parents=True)
    (cluster.secrets / "lakepulse-s3.json").write_text("{}", encoding="utf-8")
    (cluster.folder / "argo-v4.1.2.yaml").touch()
    with pytest.raises(PermanentError, match="run make cluster once"):
        removable(cluster)
    claim(cluster)
    card = json.loads((cluster.data / CARD).read_text(encoding="utf-8"))
    assert (card["made_by"], card["cluster"]) == ("lakepulse", "lakepulse")
    claim(cluster)
    assert json.loads((cluster.data / CARD).read_text(encoding="utf-8")) == card
    assert len(removable(cluster)) == 5


@pytest.mark.parametrize("foreign", ["photo.jpg", "data/other", "secrets/id_rsa"])
def test_a_folder_with_something_else_in_it_is_not_claimed(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "kept" / foreign
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(PermanentError, match="was not made by lakepulse"):
        claim(Cluster("lakepulse", tmp_path / "kept"))
    assert not (tmp_path / "kept" / "data" / CARD).exists()
