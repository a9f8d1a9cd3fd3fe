"""A load that dies anywhere, and loads at the same time: nothing lost, doubled or partly visible."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import spark_apps.load
from lakepulse.locks import lock
from lakepulse.outcome import PermanentError, TemporaryError
from spark_apps import quarantine
from spark_apps.iceberg import BRANCH, IcebergTable
from spark_apps.ledger import Ledger
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, break_manifest, download, issue, land

ROOT = Path(__file__).resolve().parents[2]


class Killed(BaseException):
    """Ends a load as a signal would: no error handling catches it."""


def scene(lake: Lake) -> None:
    """A table with history, then landings that insert, update, remove, cannot all be typed, and one that is refused."""
    land(lake.store, "github_issues", [issue(1), issue(2), issue(3)])
    land(lake.store, "pypistats_overall", [download("2026-10-01", 1)], scope="p")
    lake.load()
    land(
        lake.store,
        "github_issues",
        [issue(1, 30, title="edited"), issue(4, draft="?"), issue(5) | {"id": "?"}],
        keys=[1, 3, 4],
        started=at(60),
    )
    land(lake.store, "pypistats_overall", [download("2026-10-01", 2), download("2026-10-02", "?")], scope="p", started=at(60))
    break_manifest(lake.store, land(lake.store, "github_issues", [issue(6)], scope="apache/hudi", upstream_id=7))


def outcome(lake: Lake) -> dict[str, Any]:
    return {name: lake.content(name) for name in ("issues", "downloads", "quarantine", "landings")}


@pytest.fixture(scope="module")
def undisturbed(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    lake = Lake(engine, tmp_path_factory.mktemp("undisturbed") / "data")
    scene(lake)
    lake.load()
    found = outcome(lake)
    assert [len(rows) for rows in found.values()] == [4, 1, 3, 4]
    return found


BOUNDARIES: dict[str, tuple[Any, str]] = {
    "quarantine": (quarantine, "hold_back"),
    "branch": (IcebergTable, "begin"),
    "merge": (spark_apps.load, "_merge"),
    "audit": (spark_apps.load, "audit_branch"),
    "fast-forward": (IcebergTable, "publish"),
    "ledger": (Ledger, "add"),
    "refusals": (quarantine, "refuse"),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_load_that_died_is_repaired_by_the_next(
    lake: Lake, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, boundary: str, when: str
) -> None:
    scene(lake)
    owner, name = BOUNDARIES[boundary]
    original: Callable[..., Any] = getattr(owner, name)

    def dies(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(Killed):
        lake.load()
    monkeypatch.undo()
    lake.load(run_id="run-2")
    assert outcome(lake) == undisturbed
    before = {name: lake.snapshot_id(name) for name in ("issues", "downloads", "landings")}
    assert lake.load(run_id="run-3").rows == 0
    assert {name: lake.snapshot_id(name) for name in before} == before


def test_a_first_load_that_died_leaves_a_branch_that_the_next_one_replaces(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    land(lake.store, "github_issues", [issue(1)])
    monkeypatch.setattr(spark_apps.load, "audit_branch", dies)
    with pytest.raises(Killed):
        lake.load()
    monkeypatch.undo()
    assert lake.snapshot_id("issues") is None
    lake.load()
    assert [row["number"] for row in lake.rows("issues", "number")] == [1]
    assert set(lake.catalog.load_table("raw.issues").refs()) == {"main"}


def test_after_a_fast_forward_the_next_load_only_completes_the_ledger(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    scene(lake)
    monkeypatch.setattr(Ledger, "add", lambda *_: None)
    lake.load()
    monkeypatch.undo()
    main = lake.snapshot_id("issues")
    report = lake.load(run_id="run-2")
    assert report.details["tables"]["issues"]["landings"] == 0
    assert lake.snapshot_id("issues") == main
    rows = {row["landing_id"]: row["load_seq"] for row in lake.rows("landings")}
    assert rows["github_issues/apache__iceberg/00000002"] == max(row["load_seq"] for row in lake.rows("issues", "load_seq"))


def test_load_sequences_rise_even_when_the_ledger_lags(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land(lake.store, "github_issues", [issue(1)])
    monkeypatch.setattr(Ledger, "add", lambda *_: None)
    lake.load()
    land(lake.store, "github_issues", [issue(2)], started=at(60))
    lake.load()
    monkeypatch.undo()
    land(lake.store, "github_issues", [issue(3)], started=at(120))
    lake.load()
    assert {row["number"]: row["load_seq"] for row in lake.rows("issues", "number", "load_seq")} == {1: 1, 2: 2, 3: 3}
    assert [row["load_seq"] for row in lake.rows("landings")] == [1, 2, 3]


def test_doubled_keys_stop_at_the_audit_and_main_stays(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    lake.load()
    lake.sql("INSERT INTO lakepulse.raw.issues SELECT * FROM lakepulse.raw.issues")
    main = lake.snapshot_id("issues")
    land(lake.store, "github_issues", [issue(2)], started=at(60))
    with pytest.raises(PermanentError, match=r"audit of raw\.issues failed \(a key \(repo_id, number\) has 2 rows\)"):
        lake.load()
    assert lake.snapshot_id("issues") == main
    assert BRANCH in lake.catalog.load_table("raw.issues").refs()
    assert len(lake.rows("landings")) == 1


def test_two_loads_at_once_load_everything_once(lake: Lake, undisturbed: dict[str, Any]) -> None:
    scene(lake)
    failures: list[BaseException] = []

    def run(run_id: str) -> None:
        try:
            lake.load(run_id=run_id)
        except BaseException as error:  # noqa: BLE001 - asserted below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(f"run-{n}",)) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert outcome(lake) == undisturbed


def test_a_load_refuses_after_waiting_for_another(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land(lake.store, "github_issues", [issue(1)])
    monkeypatch.setattr(spark_apps.load, "lock", lambda settings, name: lock(settings, name, wait_seconds=0))
    with lock(lake.settings, "raw.issues"), pytest.raises(TemporaryError, match=r"another run holds the lock raw\.issues"):
        lake.load()
    lake.load()
    assert len(lake.rows("issues")) == 1


def step(lake: Lake, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """`python -m spark_apps.load` as its own process group, so that a kill takes the JVM too."""
    environment = {key: value for key, value in os.environ.items() if key != "RUN_ID"}
    environment |= {"DATA_DIR": str(lake.settings.data_dir), "DEMO": "1", **variables}
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("", "images/common"))
    command = [sys.executable, "-m", "spark_apps.load", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)


def metadata_files(lake: Lake) -> int:
    return len(list((lake.settings.data_dir / "warehouse" / "raw" / "issues" / "metadata").glob("*.metadata.json")))


def test_kill_9_while_tables_are_written(lake: Lake, undisturbed: dict[str, Any]) -> None:
    scene(lake)
    before = metadata_files(lake)
    process = step(lake)
    try:
        # The first new metadata file is the branch: the merge is under way.
        while metadata_files(lake) == before and process.poll() is None:
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    lake.load(run_id="run-3")
    assert outcome(lake) == undisturbed


def test_the_program_in_another_time_zone(lake: Lake, undisturbed: dict[str, Any]) -> None:
    scene(lake)
    process = step(lake, TZ="Asia/Kolkata")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert outcome(lake) == undisturbed
    # Nothing but our own log lines and the JVM's warning about its incubating module.
    assert [line for line in errors.splitlines() if not line.startswith(("timestamp=", "WARNING: Using incubator"))] == []
