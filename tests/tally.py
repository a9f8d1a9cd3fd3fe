"""What a test of random sequences went through, and what `make soak` writes of it."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("soak.md")

_HEAD = """# What `make soak` found

Random sequences of new data, edits, deletions, faults, kills, reruns and clock steps; after each, every row is held
against what the simulated upstream has. Written by `make soak`, a line for each part that ran; `SEED=n` plays a part again.

- kills: runs that were ended at a random point. Of the whole chain `kill -9` of a process; of fetch alone and load alone the
  call that was under way never returns, which is the same to what is on disk, and lets thousands run in one process.
- faults: answers that the simulator spoilt; of load alone, rows that cannot be typed.
- rows: comparisons of a row with the truth. Lost: missing, or older than it should be. Surplus: there twice, or still there
  though it is gone.

| part | measured | cores, Python | seed | sequences | runs | kills | faults | rows | lost | surplus | minutes |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


@dataclass
class Tally:
    """Counts over all sequences of one test; `part` is its line in the results, if it has one."""

    part: str | None = None
    seed: int | None = None
    sequences: int = 0
    runs: int = 0
    kills: int = 0
    faults: int = 0
    rows: int = 0
    lost: int = 0
    surplus: int = 0
    began: float = field(default_factory=time.monotonic)

    def compared(self, rows: int, lost: int, surplus: int) -> None:
        """Note that so many rows were held against the truth."""
        self.rows += rows
        self.lost += lost
        self.surplus += surplus

    def __str__(self) -> str:
        return (
            f"{self.sequences} sequences, {self.runs} runs, {self.kills} kills, {self.faults} faults, "
            f"{self.rows} rows compared, {self.lost} lost, {self.surplus} surplus"
        )

    def write(self) -> None:
        """Put the line of `part` into the results, in place of an older one."""
        machine = f"{os.cpu_count()}, {platform.python_version()}"
        numbers = [self.sequences, self.runs, self.kills, self.faults, self.rows, self.lost, self.surplus]
        counts = " | ".join(f"{number:,}" for number in numbers)
        minutes = (time.monotonic() - self.began) / 60
        line = f"| {self.part} | {datetime.now(UTC):%Y-%m-%d} | {machine} | {self.seed} | {counts} | {minutes:.0f} |"
        old = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
        lines = {other.split(" | ")[0]: other for other in old if other.startswith("| ") and not other.startswith("| part ")}
        lines[f"| {self.part}"] = line
        RESULTS.write_text(_HEAD + "".join(f"{lines[key]}\n" for key in sorted(lines)), encoding="utf-8")
