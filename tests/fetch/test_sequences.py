"""Random sequences of changes, losses, faults, kills, reruns and wrong clocks lose and double nothing.

100 sequences; 2,000 in `make soak`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import stamina
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakepulse_simulator import tiny_world
from lakepulse_simulator.tiny import PEOPLE, random_change
from tests.fetch.lab import CORE, DOWNLOADS, GITHUB, Kill, Lab, ends, landed, rows, truth
from tests.tally import Tally

FEW = 100
MANY = 2_000


@dataclass(frozen=True)
class Step:
    """What happens before a run, and how the run goes."""

    changes: int
    seed: int
    days: int
    skew_hours: int
    fault_rate: float
    broken: str | None
    kill_at: int | None
    is_kill_after: bool
    during: int | None
    sweep: bool


STEPS = st.builds(
    Step,
    changes=st.integers(0, 5),
    seed=st.integers(0, 10_000),
    days=st.sampled_from((0, 0, 1, 8)),
    skew_hours=st.sampled_from((0, 0, 0, -48, 30_000)),
    fault_rate=st.sampled_from((0.0, 0.0, 0.1, 0.4)),
    broken=st.sampled_from(
        (None, None, None, "/issues\\?", "/commits", "comments\\?.*page=2", "/pypistats/", "/clickhouse/", "lake")
    ),
    kill_at=st.one_of(st.none(), st.integers(1, 90)),
    is_kill_after=st.booleans(),
    during=st.one_of(st.none(), st.none(), st.integers(1, 30)),
    sweep=st.booleans(),
)


def change(lab: Lab, chance: random.Random, *, with_losses: bool = True) -> None:
    """One random change, among them some that `random_change` does not make."""
    world = lab.world
    repo = world.repo(chance.choice(lab.projects[0].repos))
    draw = chance.random()
    if draw < 0.05 and repo.issues:
        world.edit_issue(repo.name, chance.choice(list(repo.issues)), at=world.now + 400 * 86_400, title="From the future")
    elif draw < 0.12 and repo.comments:
        world.edit_comment(repo.name, chance.choice(list(repo.comments)), f"Edited {chance.random()}")
    elif draw < 0.16:
        world.commit_many(repo.name, [chance.choice(PEOPLE) for _ in range(chance.randrange(1, 12))])
    elif draw < 0.2:
        old = world.now - chance.randrange(90, 900) * 86_400
        world.release(repo.name, f"v0.{len(repo.releases)}", None, created_at=old)
    else:
        random_change(world, chance, with_losses=with_losses)


def agrees(lab: Lab, tally: Tally, *, is_swept: bool) -> None:
    """Landings hold what upstream has; what it deleted may stay until a sweep."""
    for source in CORE:
        for scope in lab.projects[0].repos if source in GITHUB else lab.projects[0].packages:
            said, true = landed(lab.store, source, scope), truth(lab.world, source, scope)
            # Files are compared by name: pypi-simple lands them in its own words.
            same = said.keys() & true.keys() if source == "pypi_releases" else {k for k in true if said.get(k) == true[k]}
            missing = true.keys() - same
            is_exact = source in {"github_commits", "github_releases", "pypi_releases"} or (
                is_swept and source not in {*DOWNLOADS, "clickhouse_versions", "github_repo", "github_pulls"}
            )
            surplus = said.keys() - true.keys() if is_exact else set()
            tally.compared(len(true), len(missing), len(surplus))
            assert (missing, surplus) == (set(), set()), (source, scope)


def no_landing_twice_or_half(lab: Lab) -> None:
    """Every manifest counts the rows of its pages, and numbers have no gap."""
    for source in CORE:
        for scope in lab.projects[0].repos if source in GITHUB else lab.projects[0].packages:
            found = lab.manifests(source, scope)
            assert [int(m.landing_id[-8:]) for m in found] == list(range(1, len(found) + 1))
            for manifest in found:
                assert len(rows(lab.store, manifest)) == manifest.rows


def has_future(lab: Lab) -> bool:
    """A small page can be full of events in the future, and is then requested without its ETag."""
    return any(issue.updated_at > lab.world.now for repo in lab.world.repos.values() for issue in repo.issues.values())


def take(lab: Lab, step: Step, tally: Tally) -> None:
    chance = random.Random(step.seed)
    lab.world.set_date(lab.world.date + timedelta(days=step.days))
    for _ in range(step.changes):
        change(lab, chance)
    lab.clock.skew = timedelta(hours=step.skew_hours)
    faults = lab.simulator.faults
    faults.clear()
    if step.fault_rate:
        faults.at_random(step.seed, step.fault_rate)
    if step.broken:
        faults.add("status", step.broken, times=None, status=500)
    if step.during is not None:
        lab.line.meanwhile = (step.during, lambda: change(lab, chance, with_losses=False))
    kill = Kill(step.kill_at, step.is_kill_after) if step.kill_at else None
    how = ends(lambda: lab.run(kill=kill, sweep=step.sweep))
    tally.runs += 1
    tally.kills += how == "killed"
    happened_meanwhile = step.during is not None and lab.line.meanwhile is None
    lab.line.meanwhile = None
    assert how in {"done", "killed"} or (step.broken and "500" in how), how
    if how == "done" and not happened_meanwhile:
        agrees(lab, tally, is_swept=step.sweep)


def play(seed: int, page_size: int, steps: list[Step], tally: Tally) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    lab = Lab(tiny_world(seed), page_size)
    tally.sequences += 1
    try:
        with stamina.set_testing(True, attempts=6):
            for step in steps:
                take(lab, step, tally)
            quiet: dict[str, Any] = {"changes": 0, "days": 0, "skew_hours": 0, "fault_rate": 0.0, "broken": None}
            last = Step(**quiet, seed=0, kill_at=None, is_kill_after=False, during=None, sweep=True)
            take(lab, last, tally)
            lab.spent()
            take(lab, last, tally)
            # For a repository without commits GitHub answers with an error, which is never free.
            without_commits = sum(repo.head is None for repo in lab.world.repos.values())
            assert lab.spent()[1] == without_commits or has_future(lab)
        no_landing_twice_or_half(lab)
    finally:
        tally.faults += lab.simulator.faults.struck
        lab.close()
        structlog.reset_defaults()


sequences = given(
    seed=st.integers(0, 1_000), page_size=st.sampled_from((2, 3, 4, 100)), steps=st.lists(STEPS, min_size=1, max_size=6)
)


@settings(max_examples=FEW, deadline=None, suppress_health_check=list(HealthCheck))
@sequences
def test_any_sequence_ends_with_the_truth(tally: Tally, seed: int, page_size: int, steps: list[Step]) -> None:
    play(seed, page_size, steps, tally)


@pytest.mark.soak("fetch alone")
@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@sequences
def test_2000_random_sequences(tally: Tally, seed: int, page_size: int, steps: list[Step]) -> None:
    play(seed, page_size, steps, tally)
