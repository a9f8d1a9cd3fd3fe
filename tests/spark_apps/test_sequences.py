"""Random sequences of landings, loads and deaths end in the rows of a straightforward computation.

A sequence takes seconds even in a warm session: the default run tries a few, `make soak` 200.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, break_manifest, download, iso, issue, land, put_manifest
from tests.spark_apps.test_crash import BOUNDARIES, Killed
from tests.tally import Tally

ODD = 9
FEW = 10
MANY = 200


@dataclass
class Visit:
    """One landing of issues and one of downloads: (number, minute of update, revision), keys or None.

    A bad one has a line that cannot be used, an odd one a text that cannot, a broken one is refused until "repair".
    """

    rows: list[tuple[int, int, int]]
    bad: bool
    odd: bool
    broken: bool
    keys: list[int] | None
    clock: int


@dataclass
class Truth:
    """The due rows, computed from the landings one at a time."""

    issues: dict[int, tuple[int, int, bool]] = field(default_factory=dict)
    downloads: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    bad: int = 0

    def visit(self, visit: Visit) -> None:
        for number, minute, revision in visit.rows:
            held = self.issues.get(number)
            if held is None or minute >= held[0]:
                self.issues[number] = (minute, revision, False)
            else:
                self.issues[number] = (held[0], held[1], False)
            same = [other for n, _, other in visit.rows if n == number]
            shared = f"key: shared by {len(same)} rows of its landing" if len(set(same)) > 1 else None
            self.downloads[f"2026-10-{number:02d}"] = (revision, shared)
        for number, (minute, revision, _) in self.issues.items():
            if visit.keys is None:
                continue
            if number in visit.keys:
                self.issues[number] = (minute, revision, False)
            elif born(number) < visit.clock:
                self.issues[number] = (minute, revision, True)
        self.bad += visit.bad
        if visit.odd:
            self.issues[ODD] = (0, 0, visit.keys is not None)


def born(number: int) -> int:
    """Minute in which an issue was created: the higher ones during the tests' day."""
    return 50 if number in (4, 5) else -1000


numbers = st.integers(1, 5)
visits = st.builds(
    Visit,
    rows=st.lists(st.tuples(numbers, st.integers(0, 9), st.integers(0, 9)), max_size=5),
    bad=st.booleans(),
    odd=st.booleans(),
    broken=st.booleans(),
    keys=st.none() | st.lists(numbers, unique=True),
    clock=st.integers(0, 100),  # steps back as well
)
deaths = st.tuples(st.sampled_from(sorted(BOUNDARIES)), st.sampled_from(["before", "after"]))
steps = st.lists(visits | st.sampled_from(["load", "repair"]) | deaths, min_size=1, max_size=7)


def play(engine: SparkSession, sequence: list[Any], tally: Tally) -> None:
    truth = Truth()
    tally.sequences += 1
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        lake = Lake(engine, Path(folder) / "data")
        broken: dict[str, bytes] = {}
        for turn, action in enumerate([*sequence, "load", "repair", "load"]):
            if isinstance(action, Visit):
                truth.visit(action)
                broken |= write(lake, action)
                tally.faults += action.bad + action.broken
            elif action == "repair":
                for identifier, manifest in broken.items():
                    put_manifest(lake.store, identifier, manifest)
                broken.clear()
            elif action == "load":
                lake.load("issues", "downloads", run_id=f"run-{turn}")
            else:
                tally.kills += die(lake, patch, action, run_id=f"run-{turn}")
            tally.runs += not isinstance(action, Visit)
        check(lake, truth, tally)
        before = {name: lake.snapshot_id(name) for name in ("issues", "downloads", "landings")}
        lake.load("issues", "downloads", run_id="run-last")
        tally.runs += 1
        assert {name: lake.snapshot_id(name) for name in before} == before


def write(lake: Lake, visit: Visit) -> dict[str, bytes]:
    """Land it; returns the right manifests of landings that are broken."""
    items = [
        issue(number, minute, title=str(revision), created_at=iso(at(born(number)))) for number, minute, revision in visit.rows
    ]
    days = [download(f"2026-10-{number:02d}", revision) for number, _, revision in visit.rows]
    if visit.bad:
        items.append(issue(1) | {"number": "?"})
    if visit.odd:
        items.append(issue(ODD, 0, title="0", closed_at="1970-01-01T00:00:00Z"))
    started = at(visit.clock)
    identifier = land(
        lake.store, "github_issues", items, keys=visit.keys, started=started, finished=started + timedelta(minutes=1)
    )
    land(lake.store, "pypistats_overall", days, scope="p", started=started)
    return {identifier: break_manifest(lake.store, identifier)} if visit.broken else {}


def die(lake: Lake, patch: pytest.MonkeyPatch, death: tuple[str, str], run_id: str) -> bool:
    """Returns whether the load reached the point where it was to die."""
    boundary, when = death
    owner, name = BOUNDARIES[boundary]
    original = getattr(owner, name)

    def dies(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            original(*args, **kwargs)
        raise Killed

    with patch.context() as inner:
        inner.setattr(owner, name, dies)
        with contextlib.suppress(Killed):
            lake.load("issues", "downloads", run_id=run_id)
            return False
    return True


def check(lake: Lake, truth: Truth, tally: Tally) -> None:
    rows: list[tuple[Any, ...]] = [
        ("issue", row["number"], row["updated_at"], row["title"], row["is_deleted"], row["odd"])
        for row in lake.rows("issues", "number", "updated_at", "title", "is_deleted", "odd")
    ]
    rows += [
        ("downloads", str(row["date"]), row["downloads"], row["odd"])
        for row in lake.rows("downloads", "date", "downloads", "odd")
    ]
    odd = "closed_at: 1970-01-01T00:00:00Z is not a timestamp"
    due: set[tuple[Any, ...]] = {
        ("issue", number, at(minute), str(revision), gone, odd if number == ODD else None)
        for number, (minute, revision, gone) in truth.issues.items()
    }
    due |= {("downloads", day, *row) for day, row in truth.downloads.items()}
    quarantined = lake.rows("quarantine")
    assert [row["landing_id"] for row in quarantined if row["kind"] == "landing" and row["resolved_at"] is None] == []
    bad = sum(row["kind"] == "line" for row in quarantined)
    lost, surplus = due - set(rows), len(rows) - len(due & set(rows))
    tally.compared(len(due) + truth.bad, len(lost) + max(0, truth.bad - bad), surplus + max(0, bad - truth.bad))
    assert (lost, surplus, bad) == (set(), 0, truth.bad), rows


# Without shrinking: it would run for an hour where a few sequences take a minute.
@settings(
    max_examples=FEW,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(sequence=steps)
def test_a_few_random_sequences(engine: SparkSession, tally: Tally, sequence: list[Any]) -> None:
    play(engine, sequence, tally)


@pytest.mark.soak("load alone")
@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(sequence=steps)
def test_200_random_sequences(engine: SparkSession, tally: Tally, sequence: list[Any]) -> None:
    play(engine, sequence, tally)
