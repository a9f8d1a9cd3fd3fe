"""Time and arithmetic, as the contract has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lakepulse_simulator.world import DAY, epoch

Row = dict[str, Any]

__all__ = [
    "DAY",
    "Row",
    "change",
    "day_of",
    "days_between",
    "dense_ranks",
    "end_of",
    "epoch",
    "fewest",
    "moment",
    "months_between",
    "percentile",
    "sound",
    "week_of",
    "weeks_between",
]


def moment(seconds: int) -> datetime:
    """Naive UTC."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def day_of(seconds: int) -> date:
    return date(1970, 1, 1) + timedelta(days=seconds // DAY)


def end_of(day: date) -> int:
    """The first second after a day."""
    return epoch(day) + DAY


def sound(seconds: int, text: str | None, end: int) -> int | None:
    """A date, or None if it is impossible: no date, at or after `end`, or at the start of the epoch.

    Decision: the start of the epoch is its first day, and what lies before it is no less impossible
    (GitHub serves 1803 for one real commit): no commit was made before 1970.
    """
    return seconds if text is None and DAY <= seconds < end else None


def week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def weeks_between(first: date, last: date) -> list[date]:
    """Mondays, from that of `first`."""
    return [day for day in days_between(week_of(first), last) if day.weekday() == 0]


def months_between(first: date, last: date) -> list[date]:
    found, month = [], first.replace(day=1)
    while month <= last:
        found.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return found


def percentile(values: Iterable[float], percent: int) -> float | None:
    """Nearest rank; None of nothing."""
    ordered = sorted(values)
    # Whole numbers, since 0.15 * n may lie just above the whole number that it should be.
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def change(current: float | None, previous: float | None) -> float | None:
    """In percent; None without both, or from zero."""
    return None if current is None or not previous else 100 * (current / previous - 1)


def dense_ranks(counts: Mapping[Any, int]) -> dict[Any, int]:
    """1 for the greatest count; equal counts share a rank and leave no gap."""
    ranks = {count: rank for rank, count in enumerate(sorted(set(counts.values()), reverse=True), start=1)}
    return {name: ranks[count] for name, count in counts.items()}


def fewest(counts: Iterable[int]) -> int | None:
    """How few of them reach half of the sum; None of nothing."""
    ordered = sorted(counts, reverse=True)
    reached = 0
    for place, count in enumerate(ordered, start=1):
        reached += count
        if 2 * reached >= sum(ordered):
            return place
    return None
