"""Random sequences of changes, losses, faults, kills, reruns and clock steps, through the whole chain.

After each attempt at a run, readers see one run's data as a whole; after each run that ends well,
its gold is what plain loops over the simulated world give.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakepulse_simulator import Simulator, tiny_world
from lakepulse_simulator.tiny import random_change
from tests.end_to_end.chain import STEPS, Chain
from tests.end_to_end.conftest import FIRST_DAY
from tests.end_to_end.harness import seed
from tests.tally import Tally

FEW = 10
MANY = 100

pytestmark = [
    pytest.mark.end_to_end,
    # pyspark leaves the socket of each collect() to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


@dataclass(frozen=True)
class Turn:
    """What happens upstream, and how the run after it goes."""

    seed: int
    changes: int
    days: int
    """How far the world's clock goes on before."""
    back: int
    """How many days before it the run's date lies."""
    sweep: bool
    fault_rate: float
    is_broken: bool
    kill: tuple[str, float] | None
    is_retried: bool
    """After a kill the same run goes on from its step; else another run comes, after further changes."""


def turn(chance: random.Random, kill: str | None) -> Turn:
    """One at random, in which the step `kill` dies."""
    return Turn(
        seed=chance.randrange(10_000),
        changes=chance.randrange(13),
        days=chance.choice((0, 1, 1, 8)),
        back=chance.choice((0, 0, 0, 1, 5)),
        sweep=chance.random() < 0.5,
        fault_rate=chance.choice((0.0, 0.1, 0.3)),
        # A fetch that fails by itself would leave nothing to kill.
        is_broken=kill is None and chance.random() < 0.4,
        kill=(kill, chance.random()) if kill else None,
        is_retried=chance.random() < 0.5,
    )


def take(chain: Chain, turn: Turn) -> None:
    chance = random.Random(turn.seed)
    world, faults = chain.world, chain.simulator.faults
    world.set_date(world.date + timedelta(days=turn.days))
    for _ in range(turn.changes):
        random_change(world, chance, odd=True)
    faults.clear()
    faults.at_random(turn.seed, turn.fault_rate)
    if turn.is_broken:
        faults.add(
            "status", chance.choice(("/issues\\?", "/commits", "/pypistats/", "/clickhouse/", "pond")), times=None, status=500
        )
    run = chain.begin(world.date - timedelta(days=turn.back), sweep=turn.sweep)
    stopped = chain.go(run, kill=turn.kill)
    chain.check()
    if stopped is None:
        chain.check(run.run_id)
        return
    faults.clear()
    if not turn.is_retried:
        # Nothing may leave upstream before it is looked at again: only the product knows how much it had seen.
        for _ in range(turn.changes // 2):
            random_change(world, chance, with_losses=False)
        run, stopped = chain.begin(run.as_of, sweep=turn.sweep), "fetch"
    assert chain.go(run, first=stopped) is None
    chain.check(run.run_id)
    chain.check()


def play(engine: SparkSession, tally: Tally, chance: random.Random, kills: list[str | None]) -> None:
    """One sequence: a turn for each of `kills`."""
    tally.sequences += 1
    bots, not_bots = ([row["person"] for row in seed(name)] for name in ("bots", "not_bots"))
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(tiny_world(chance.randrange(1_000), FIRST_DAY, new_packages=["acme-new"])) as simulator,
    ):
        chain = Chain(engine, simulator, Path(folder), tally, bots, not_bots)
        try:
            for kill in kills:
                take(chain, turn(chance, kill))
        finally:
            tally.faults += simulator.faults.struck


@pytest.mark.parametrize("number", range(FEW))
def test_a_random_sequence(engine: SparkSession, tally: Tally, number: int) -> None:
    # Each step dies at least twice, in the first run as well as in the second.
    kills = [STEPS[number // 2 % 4], None]
    play(engine, tally, random.Random(f"few {number}"), kills[:: -1 if number % 2 else 1])


@pytest.mark.soak("whole chain")
def test_100_random_sequences(engine: SparkSession, tally: Tally, pytestconfig: pytest.Config) -> None:
    """`CHAIN_MINUTES` ends it after the sequence that is under way; `CHAIN_FIRST` goes on from one, in a line of its own."""
    ends = time.monotonic() + 60 * float(os.environ.get("CHAIN_MINUTES", "inf"))
    first = int(os.environ.get("CHAIN_FIRST", "1"))
    if first > 1:
        tally.part = f"{tally.part}, from sequence {first}"
    for number in range(first - 1, MANY):
        chance = random.Random(f"{pytestconfig.getoption('--hypothesis-seed')} {number}")
        play(engine, tally, chance, [chance.choice((*STEPS, None)) for _ in range(chance.randint(1, 4))])
        # Hours may lie before the last one: what was seen outlives an end by hand.
        tally.write()
        if time.monotonic() > ends:
            break
