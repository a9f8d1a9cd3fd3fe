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
from tests.spark_apps.landings import at, download, iso, issue, land
from tests.spark_apps.test_crash import BOUNDARIES, Killed
from tests.tally import Tally

FEW = 10
MANY = 200


@dataclass
class Visit:
    """One landing of issues and one of downloads: (number, minute of update, revision), keys or None."""

    rows: list[tuple[int, int, int]]
    bad: bool
    keys: list[int] | None
    clock: int


@dataclass
class Truth:
    """The due rows, computed from the landings one at a time."""

    issues: dict[int, tuple[int, int, bool]] = field(default_factory=dict)
    downloads: dict[str, int] = field(default_factory=dict)
    bad: int = 0

    def visit(self, visit: Visit) -> None:
        for number, minute, revision in visit.rows:
            held = self.issues.get(number)
            if held is None or minute >= held[0]:
                self.issues[number] = (minute, revision, False)
            else:
                self.issues[number] = (held[0], held[1], False)
            self.downloads[f"2026-10-{number:02d}"] = revision
        for number, (minute, revision, _) in self.issues.items():
            if visit.keys is None:
                continue
            if number in visit.keys:
                self.issues[number] = (minute, revision, False)
            elif born(number) < visit.clock:
                self.issues[number] = (minute, revision, True)
        self.bad += visit.bad


def born(number: int) -> int:
    """Minute in which an issue was created: the higher ones during the tests' day."""
    return -1000 if number <= 3 else 50


numbers = st.integers(1, 5)
visits = st.builds(
    Visit,
    rows=st.lists(st.tuples(numbers, st.integers(0, 9), st.integers(0, 9)), max_size=5),
    bad=st.booleans(),
    keys=st.none() | st.lists(numbers, unique=True),
    clock=st.integers(0, 100),  # steps back as well
)
deaths = st.tuples(st.sampled_from(sorted(BOUNDARIES)), st.sampled_from(["before", "after"]))
steps = st.lists(visits | st.just("load") | deaths, min_size=1, max_size=7)


def play(engine: SparkSession, sequence: list[Any], tally: Tally) -> None:
    truth = Truth()
    tally.sequences += 1
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        lake = Lake(engine, Path(folder) / "data")
        for turn, action in enumerate([*sequence, "load"]):
            if isinstance(action, Visit):
                truth.visit(action)
                write(lake, action)
                tally.faults += action.bad
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


def write(lake: Lake, visit: Visit) -> None:
    items = [
        issue(number, minute, title=str(revision), created_at=iso(at(born(number)))) for number, minute, revision in visit.rows
    ]
    days = [download(f"2026-10-{number:02d}", revision) for number, _, revision in visit.rows]
    if visit.bad:
        items.append(issue(1) | {"number": "?"})
    started = at(visit.clock)
    land(lake.store, "github_issues", items, keys=visit.keys, started=started, finished=started + timedelta(minutes=1))
    land(lake.store, "pypistats_overall", days, scope="p", started=started)


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
        ("issue", row["number"], row["updated_at"], row["title"], row["is_deleted"])
        for row in lake.rows("issues", "number", "updated_at", "title", "is_deleted")
    ]
    rows += [("downloads", str(row["date"]), row["downloads"]) for row in lake.rows("downloads", "date", "downloads")]
    due: set[tuple[Any, ...]] = {
        ("issue", number, at(minute), str(revision), gone) for number, (minute, revision, gone) in truth.issues.items()
    }
    due |= {("downloads", day, count) for day, count in truth.downloads.items()}
    bad = len(lake.rows("quarantine"))
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
