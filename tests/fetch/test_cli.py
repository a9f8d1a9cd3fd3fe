"""The step program as a process: exit codes, lines, locks, full disks, secrets and real kills."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import LocalStore

from lakepulse.landing import complete_landings, scope_slug
from lakepulse.reports import read_reports
from lakepulse_simulator import Simulator, World, tiny_world
from lakepulse_simulator.tiny import PEOPLE
from tests.fetch.lab import CORE, DOWNLOADS, GITHUB, KEY, landed, truth

ROOT = Path(__file__).parents[2]
REPO = "acme/lake"
TOKENS = ("ghp_first0secret", "ghp_second0secret")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(tiny_world(repos=(REPO,))) as running:
        yield running


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    path = tmp_path / "projects.yaml"
    path.write_text(f"projects:\n  - {{name: Acme, repos: [{REPO}], packages: [acme-lake]}}\n")
    return path


def environment(sim: Simulator, projects: Path, data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return {
        **kept,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'images/common'}:{ROOT / 'images/fetch'}",
        "PROJECTS": str(projects),
        "DATA_DIR": str(data),
        "AS_OF": sim.world.date.isoformat(),
        "RUN_ID": "run-of-test",
        "DEMO": "1",
        "GITHUB_TOKEN": TOKENS[0],
        **sim.environment(),
        **more,
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lakepulse_fetch", *arguments]


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), env=env, capture_output=True, text=True, timeout=300, check=False)


def grow(world: World, count: int) -> None:
    for number in range(count):
        world.commit(REPO, PEOPLE[number % 3])
        world.comment(REPO, world.open_issue(REPO).number, None)


def lake(data: Path) -> LocalStore:
    return LocalStore(str(data))


def content(data: Path) -> dict[str, object]:
    scopes = dict.fromkeys(GITHUB, REPO) | dict.fromkeys((*DOWNLOADS, "pypi_releases", "clickhouse_versions"), "acme-lake")
    return {source: landed(lake(data), source, scope) for source, scope in scopes.items()}


def test_a_run_leaves_landings_a_report_and_plain_lines(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    done = run(environment(sim, projects, tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert landed(lake(tmp_path / "data"), "github_issues", REPO) == truth(sim.world, "github_issues", REPO)
    (report,) = read_reports(lake(tmp_path / "data"), "run-of-test")
    assert (report.step, report.outcome) == ("fetch", "succeeded")
    sent = [entry for entry in sim.log if entry.status]
    assert report.requests == len(sent)
    assert report.quota == sum(entry.quota for entry in sent)
    assert {entry["source"] for entry in report.details["lists"]} == set(CORE)


def test_sources_can_be_chosen_and_name_the_report(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    done = run(environment(sim, projects, tmp_path / "data"), "--sources", "github_releases,pypi_releases")
    assert done.returncode == 0, done.stderr
    (report,) = read_reports(lake(tmp_path / "data"), "run-of-test")
    assert report.step == "fetch-github_releases-pypi_releases"
    assert {entry.target.split("?")[0].rsplit("/", 1)[-1] for entry in sim.log} == {"lake", "releases", ""}


def test_an_unknown_source_is_one_line(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    done = run(environment(sim, projects, tmp_path / "data"), "--sources", "nonsense")
    assert done.returncode == 1
    assert re.fullmatch(r"error: --sources: unknown source nonsense; known: .*\n", done.stderr)


def test_no_network_is_temporary_and_one_line_names_the_host(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(environment(sim, projects, data)).returncode == 0
    before = content(data)
    down = dict.fromkeys(("GITHUB_API_URL", "PYPISTATS_API_URL", "PYPI_SIMPLE_URL", "CLICKHOUSE_URL"), "http://127.0.0.1:9")
    done = run(environment(sim, projects, data, **down))
    assert done.returncode == 75
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "127.0.0.1:9" in errors[0]
    assert content(data) == before
    (report,) = read_reports(lake(data), "run-of-test")
    assert report.outcome == "failed"


def test_one_api_that_is_down_does_not_stop_the_others(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = run(environment(sim, projects, data, PYPISTATS_API_URL="http://127.0.0.1:9"))
    assert done.returncode == 75
    assert landed(lake(data), "github_commits", REPO) == truth(sim.world, "github_commits", REPO)
    assert landed(lake(data), "pypi_releases", "acme-lake").keys() == truth(sim.world, "pypi_releases", "acme-lake").keys()


def test_one_list_that_fails_for_good_is_permanent_and_the_others_land(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    sim.faults.add("status", "/commits", times=None, status=403, message="Resource not accessible")
    done = run(environment(sim, projects, tmp_path / "data"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: github_commits {REPO}: github: 403 Resource not accessible")
    assert landed(lake(tmp_path / "data"), "github_issues", REPO) == truth(sim.world, "github_issues", REPO)


def test_tokens_are_in_nothing_that_a_run_leaves_behind(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    sim.rules.bad_tokens = (TOKENS[1],)
    sim.faults.at_random(3, 0.3)
    env = environment(sim, projects, tmp_path / "data", GITHUB_TOKEN=",".join(TOKENS))
    done = run(env)
    assert "token refused" in done.stderr
    left = done.stderr.encode() + b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    for path in (tmp_path / "data").rglob("*.gz"):
        left += gzip.decompress(path.read_bytes())
    left += "".join(entry.target for entry in sim.log).encode()
    for token in TOKENS:
        assert token.encode() not in left


def test_hostile_text_lands_unchanged(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    text = "<script>alert(1)</script> '; drop table x; -- \u0000 \u202e \U0001f680 \r\n" + "x" * 1_000_000
    number = sim.world.open_issue(REPO, text, body=text, labels=[text[:60]]).number
    done = run(environment(sim, projects, tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    said = landed(lake(tmp_path / "data"), "github_issues", REPO)[number]
    assert said == truth(sim.world, "github_issues", REPO)[number]
    assert said["title"] == text


@pytest.mark.parametrize("after", [2, 7, 19, 33, 47, 60])
def test_kill_9_and_a_rerun_give_what_an_undisturbed_run_gives(
    sim: Simulator, projects: Path, tmp_path: Path, after: int
) -> None:
    grow(sim.world, 1_800)
    assert run(environment(sim, projects, tmp_path / "undisturbed")).returncode == 0
    least = sum(entry.status == 200 for entry in sim.log)
    assert least > 60
    sim.log.clear()
    env = environment(sim, projects, tmp_path / "killed")
    process = subprocess.Popen(command(), env=env, stderr=subprocess.DEVNULL)
    while len(sim.log) < after and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = run(env)
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "killed") == content(tmp_path / "undisturbed")
    # The APIs are visited side by side: a page of each may have been under way.
    assert sum(entry.status == 200 for entry in sim.log if "/github/" in entry.target) <= least - 4 + 1


def test_of_two_fetches_at_once_one_waits(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    grow(sim.world, 300)
    data = tmp_path / "data"
    env = environment(sim, projects, data)
    both = [subprocess.Popen(command(), env=env | {"RUN_ID": f"run-{i}"}, stderr=subprocess.PIPE, text=True) for i in (1, 2)]
    for process in both:
        assert process.communicate(timeout=300)[1] is not None
        assert process.returncode == 0
    for source in CORE:
        scope = REPO if source in GITHUB else "acme-lake"
        found = list(complete_landings(lake(data), source, scope_slug(scope)))
        assert [int(m.landing_id[-8:]) for m in found] == [1, 2]
        assert found[1].rows == 0
        if source in KEY and source != "pypi_releases":
            assert landed(lake(data), source, scope) == truth(sim.world, source, scope)


def _in_small_disk(env: dict[str, str], data: Path, options: str, before: str = "true") -> subprocess.CompletedProcess[str]:
    """A fetch whose DATA_DIR is a small disk of its own, in a mount namespace that ends with it."""
    unshare = shutil.which("unshare")
    script = f'mount -t tmpfs -o {options} tmpfs "{data}" && {{ {before}; }} && exec "$@"'
    wrapped = [str(unshare), "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    if unshare is None or subprocess.run([*wrapped, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces are not allowed here")
    return subprocess.run([*wrapped, *command()], env=env, capture_output=True, text=True, timeout=300, check=False)


def test_a_full_disk_is_one_clear_line(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    grow(sim.world, 2_000)
    done = _in_small_disk(environment(sim, projects, data), data, "size=100k")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(r"error: .*No space left on device.*free space", done.stderr.splitlines()[-1])


def test_a_read_only_folder_is_one_clear_line(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    done = _in_small_disk(environment(sim, projects, data), data, "size=1m,ro")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(r"error: .*[Rr]ead-only", done.stderr.splitlines()[-1])


def test_fifty_repos_share_one_connection(
    sim: Simulator, projects: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"acme/lake{number}" for number in range(50)]
    sim.reset(tiny_world(repos=names, packages=()))
    sim.rules.points_per_minute = 900
    sim.rules.max_in_flight = 1
    projects.write_text("projects:\n  - {name: Acme, repos: [" + ", ".join(names) + "]}\n")
    connections = 0
    accept = sim._server.process_request

    def counting(*arguments: object) -> None:
        nonlocal connections
        connections += 1
        accept(*arguments)

    monkeypatch.setattr(sim._server, "process_request", counting)
    done = run(environment(sim, projects, tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert connections == 1
    assert len(sim.log) == 50 * len(GITHUB)
    assert {entry.status for entry in sim.log} == {200}


def test_a_terminal_gets_a_progress_bar(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = environment(sim, projects, tmp_path / "data", TERM="xterm", COLUMNS="120")
    process = subprocess.Popen(command(), env=env, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait() == 0
    assert b"\x1b[" in shown
    assert f"{len(CORE)}/{len(CORE)}".encode() in shown
    assert b"event='fetched'" in shown


def test_a_data_dir_with_the_other_kind_of_data_is_refused(sim: Simulator, projects: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    card = {"layout": 1, "path": str(data.resolve()), "kind": "real"}
    (data / "lakepulse.json").write_text(json.dumps(card))
    done = run(environment(sim, projects, data))
    assert done.returncode == 1
    assert done.stderr.startswith("error: DATA_DIR")
    assert sim.log == []
