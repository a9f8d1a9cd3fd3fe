"""The console command: lazy, and one line for what is wrong with a call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import proxy_bypass

import pytest

from lakepulse.cli import COMMANDS, Command, main

ROOT = Path(__file__).resolve().parents[2]
STAGES = {command.module.partition(".")[0] for command in COMMANDS} - {"lakepulse"}
OF_STAGES = [command for command in COMMANDS if command.module.partition(".")[0] in STAGES]
HEAVY = {"mcp", "pyspark", "dbt", "duckdb", "obstore", "httpx", "kubernetes", "kr8s", "pyarrow", "pyiceberg", "hera", "trino"}

LOADED = """
import sys
from lakepulse.cli import main
before = set(sys.modules)
code = main(sys.argv[1:])
print("\\nloaded:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


def loaded(*arguments: str, path: str | None = None) -> tuple[int, set[str], subprocess.CompletedProcess[str]]:
    """Exit code of a call, the top-level packages that it imported, and its output."""
    code = os.pathsep.join(str(ROOT / part) for part in ("", "images/answer", "images/common", "images/fetch", "dbt"))
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path or code},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *_, last = done.stderr.splitlines()
    return done.returncode, set(last.removeprefix("loaded: ").split()), done


def test_help_lists_every_command_and_imports_no_stage() -> None:
    code, packages, done = loaded("--help")
    assert code == 0
    assert not packages & (STAGES | HEAVY)
    for command in COMMANDS:
        assert f"{command.name} " in done.stdout
        assert command.summary in done.stdout


@pytest.mark.parametrize("command", OF_STAGES, ids=lambda command: str(command.name))
def test_the_help_of_a_command_imports_its_own_light_module_alone(command: Command) -> None:
    code, packages, done = loaded(command.name, "--help")
    assert code == 0, done.stderr
    assert packages & STAGES == {command.module.partition(".")[0]}
    assert not packages & HEAVY
    assert done.stdout.startswith(f"Usage: lakepulse {command.name}")


def test_a_stage_that_an_image_lacks_is_one_line() -> None:
    code, _, done = loaded("load", path=str(ROOT / "images/common"))
    assert code == 1
    assert done.stderr.splitlines()[0] == (
        "error: load: spark_apps.commands is not installed here; use an image or a checkout that has it"
    )


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (["nonsense"], "error: unknown command 'nonsense'; known: run, submit, "),
        (["--verbose"], "error: unknown command '--verbose'; known: "),
        (["fetch", "--nonsense"], "error: Unknown option: --nonsense"),
        (["fetch", "--sources"], 'error: Command "fetch" parameter --sources requires an argument; see lakepulse fetch --help'),
        (["fetch", "--source", "x"], "error: Unknown option: --source. Did you mean --sources?"),
        (["fetch", "--no-sources"], "error: Unknown option: --no-sources"),
        (["fetch", "a", "b"], "error: unexpected argument 'a b'; see lakepulse fetch --help"),
        (["fetch", "--sources", "a", "--sources", "b"], "error: Parameter --sources specified multiple times"),
    ],
)
def test_a_bad_argument_is_one_line_and_nothing_is_done(
    call: list[str], line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    assert main(call) == 1
    said = capsys.readouterr()
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (tmp_path / "data").exists()


def test_without_a_command_the_help_is_shown_and_it_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert capsys.readouterr().out.startswith("Usage: lakepulse COMMAND")


def test_the_exit_code_is_what_the_command_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 1, 75):
        monkeypatch.setattr("lakepulse_fetch.commands.fetch", lambda code=code: code)
        assert main(["fetch"]) == code


@pytest.mark.parametrize(
    ("named", "hosts"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "corp,localhost", "no_proxy": ""}, "corp,localhost,127.0.0.1,::1"),
        ({"no_proxy": ".corp"}, ".corp,localhost,127.0.0.1,::1"),
    ],
)
def test_this_machine_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch, named: dict[str, str], hosts: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    main(["--help"])
    assert (os.environ["NO_PROXY"], os.environ["no_proxy"]) == (hosts, hosts)
    assert all(proxy_bypass(host) for host in ("localhost", "127.0.0.1"))
    assert not proxy_bypass("example.org")


def test_an_interrupt_has_the_exit_code_that_shells_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("lakepulse_fetch.commands.fetch", interrupted)
    assert main(["fetch"]) == 130
