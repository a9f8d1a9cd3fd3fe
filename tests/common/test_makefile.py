"""What `make` says when something is missing: one line that says what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lakepulse.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"JAVA_HOME", "MAKEFLAGS", "OUT"}}
    command = ["make", "--directory", str(ROOT), *arguments]
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=False)


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def test_a_missing_java_is_one_line(tmp_path: Path) -> None:
    ready, jars = tmp_path / "ready", tmp_path / "jars"
    ready.touch()
    [line] = errors(make(f"READY={ready}", f"JARS={jars}", str(jars), JAVA_HOME=str(tmp_path)))
    assert "Java 17 or 21" in line
    assert "openjdk-17-jre-headless" in line
    assert not jars.exists()


@pytest.mark.parametrize("interpreter", ["no-such-python", "false"])
def test_another_python_is_one_line(tmp_path: Path, interpreter: str) -> None:
    ready = tmp_path / "ready"
    [line] = errors(make(f"READY={ready}", f"PYTHON={interpreter}", str(ready)))
    assert "Python 3.11 to 3.13 is needed" in line
    assert not ready.exists()


@pytest.mark.parametrize(
    "line", ["DATA_DIR=/mine", "export DATA_DIR=/mine", "DATA_DIR = /mine", " DATA_DIR=/mine", "data_dir=/mine"]
)
def test_what_env_names_is_shown_in_every_form_that_settings_take(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".data" / "demo").mkdir(parents=True)
    (tmp_path / "requirements.lock").touch()
    command = ["make", "--file", str(ROOT / "Makefile"), "--dry-run", "digest"]

    def planned() -> str:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    monkeypatch.delenv("DATA_DIR", raising=False)
    assert "DATA_DIR=.data/demo" in planned()
    (tmp_path / ".env").write_text(f"{line}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings().data_dir == Path("/mine")
    assert "DATA_DIR" not in planned()


@pytest.mark.parametrize("target", ["export", "lake", "site"])
def test_an_export_without_a_folder_is_one_line(target: str) -> None:
    [line] = errors(make(target))
    assert line.startswith("error: OUT: ")


def test_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [line.removeprefix(".PHONY: ") for line in makefile.splitlines() if line.startswith(".PHONY: ")]
    targets = {name for line in lines for name in line.split()}
    assert {"demo", "run", "test", "lint", "clean", "export"} <= targets
    done = make("help")
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert targets <= listed
