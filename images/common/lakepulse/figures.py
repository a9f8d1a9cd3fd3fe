"""Figures as people and programs read them: `fct_figures` with the words of `dim_figures`.

What a figure means and how it is computed stands in dbt alone; here its rows become values with a trend,
a status and a text, alike for pages, badges, the digest and alerts. Rows are mappings by column name.
The sentences about them are in `lakepulse.brief`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

MONTH = timedelta(days=28)
YEAR = timedelta(days=364)
"""Spans of whole weeks, so that windows compare like weekdays."""

NOTABLE_PERCENT, NOTABLE_POINTS, NOTABLE_COUNT = 10.0, 5.0, 3
"""A change is good or bad from here on: in percent, for shares and percentages in points. Of counts, shares and ratios it must
also be of this many of what they count."""

Row = Mapping[str, Any]
Tone = Literal["good", "bad", "none"]

_NO_COUNTS = {"share", "percent", "ratio", "hours", "days", "downloads a day"}
_FEW = 20
"""Below, a percentage says less than the count before."""
_A_DAY = "downloads a day"
_MEANING = ("figure", "title", "question", "unit", "better", "definition", "link", "window_days", "headline")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A row of `dim_figures`: `sources` are the landing sources that it is made of, `headline` its place in a summary."""

    figure: str
    title: str
    question: str
    unit: str
    better: str
    definition: str
    link: str
    scope_kinds: tuple[str, ...]
    sources: tuple[str, ...]
    window_days: int
    headline: int | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A value against an earlier one: `change` is its size in words ("8 %", "3 points", "from 2"), empty if it is level."""

    direction: Literal["up", "down", "level"]
    change: str
    tone: Tone

    @property
    def arrow(self) -> str:
        return {"up": "▲", "down": "▼", "level": "▶"}[self.direction]

    def is_like(self, other: Trend) -> bool:
        """Whether both can be said in one breath."""
        return (self.direction, self.tone) == (other.direction, other.tone)

    def said(self, span: str) -> str:
        """In words, as in "up 8 % on last month", "up from 2 last year"; `span` is month or year."""
        if self.direction == "level":
            return f"same as last {span}"
        return f"{self.direction} {self.change}{'' if self.change.startswith('from ') else ' on'} last {span}"


@dataclass(frozen=True, slots=True)
class Break:
    """A known break in how a source counts."""

    day: date
    what_changed: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a scope in the newest week, and the same one four weeks and a year earlier; None where there is none."""

    meaning: Meaning
    scope_kind: str
    scope: str
    value: float | None
    n: int
    status: str
    reason: str | None
    month_before: float | None = None
    year_before: float | None = None

    @property
    def change(self) -> float | None:
        """Percent change against four weeks before; None if one is missing or that was 0."""
        return _change(self.value, self.month_before)

    @property
    def change_of_year(self) -> float | None:
        """Percent change against a year before; None if one is missing or that was 0."""
        return _change(self.value, self.year_before)

    @property
    def in_a_month(self) -> Trend | None:
        """The trend against four weeks before; None if there is nothing to compare."""
        return trend(self.meaning, self.value, self.month_before, self.n)

    @property
    def in_a_year(self) -> Trend | None:
        """The trend against a year before; None if there is nothing to compare."""
        return trend(self.meaning, self.value, self.year_before, self.n)

    @property
    def text(self) -> str:
        """The value as people read it, or why there is none."""
        if self.value is None:
            return self.reason or self.status
        if self.meaning.unit == _A_DAY:
            # Of a mean, people ask for the sum.
            days = "day" if self.n == 1 else "days"
            return f"{number(round(self.value * self.n))} in {self.n} {days}, {number(round(self.value))} a day"
        return worded(self.value, self.meaning.unit)


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else 100 * (now / before - 1)


def trend(meaning: Meaning, now: float | None, before: float | None, n: int) -> Trend | None:
    """What became of a figure between two values; None if one is missing, or if it grows with every day by itself.

    `n` is the number of events behind the later one.
    """
    if now is None or before is None or (meaning.unit == "days" and meaning.window_days == 1):
        return None
    # 0.3 - 0.2 is not 0.1.
    difference = round(now - before, 9)
    is_count = meaning.unit not in _NO_COUNTS
    events = abs(difference) * (n if meaning.unit in {"share", "ratio"} else 1)
    if meaning.unit in {"share", "percent"}:
        points = abs(difference) * (100 if meaning.unit == "share" else 1)
        size = round(points)
        change, is_notable = counted(size, "point") if size else "", points >= NOTABLE_POINTS
    elif not before or (is_count and max(now, before) < _FEW):
        change = f"from {worded(before, meaning.unit)}" if difference else ""
        is_notable = not before or abs(difference) >= abs(before) * NOTABLE_PERCENT / 100
    else:
        percents = abs(100 * difference / before)
        change, is_notable = f"{percents:,.0f} %" if round(percents) else "", percents >= NOTABLE_PERCENT
    if not change:
        return Trend("level", "", "none")
    direction: Literal["up", "down"] = "up" if difference > 0 else "down"
    if (is_count or meaning.unit in {"share", "ratio"}) and events < NOTABLE_COUNT:
        is_notable = False
    if not is_notable or meaning.better == "neither":
        return Trend(direction, change, "none")
    return Trend(direction, change, "good" if direction == meaning.better else "bad")


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_before(as_of: date, span: timedelta) -> date:
    """The newest week whose windows end at least `span` before `as_of`, so that the two share no day of it."""
    return week_of(as_of - span + timedelta(days=1)) - timedelta(days=7)


def meanings(rows: Iterable[Row]) -> dict[str, Meaning]:
    """Figure name -> its row of `dim_figures`, in the order of the table's questions."""
    return {
        row["figure"]: Meaning(
            **{name: row[name] for name in _MEANING},
            scope_kinds=tuple(row["scope_kinds"].split(", ")),
            sources=tuple(row["sources"].split(", ")),
        )
        for row in rows
    }


def newest(known: Mapping[str, Meaning], rows: Iterable[Row], as_of: date) -> list[Figure]:
    """The figures of the week of `as_of`, by scope kind, scope and in the order of `known`.

    `rows` are those of `fct_figures`, all or those of the three weeks that are compared.
    """
    now, month, year = week_of(as_of), week_before(as_of, MONTH), week_before(as_of, YEAR)
    weeks: dict[tuple[str, str, str, date], Row] = {
        (row["scope_kind"], row["scope"], row["figure"], row["week"]): row for row in rows if row["week"] in {now, month, year}
    }

    def value(kind: str, scope: str, name: str, week: date) -> float | None:
        row = weeks.get((kind, scope, name, week))
        return None if row is None else row["value"]

    found = [
        Figure(
            meaning=known[name],
            scope_kind=kind,
            scope=scope,
            value=row["value"],
            n=row["n"],
            status=row["status"],
            reason=row["reason"],
            month_before=value(kind, scope, name, month),
            year_before=value(kind, scope, name, year),
        )
        for (kind, scope, name, week), row in weeks.items()
        if week == now and name in known
    ]
    order = {name: index for index, name in enumerate(known)}
    return sorted(found, key=lambda figure: (figure.scope_kind, figure.scope, order[figure.meaning.figure]))


def spanned(
    found: Iterable[Figure], members: Iterable[Row], breaks: Iterable[Row], as_of: date, span: timedelta = MONTH
) -> dict[tuple[str, str], tuple[Break, ...]]:
    """Project and figure -> the known breaks of its sources between its value and the one of a month (or `YEAR`) before.

    `members` are rows of `dim_projects`, `breaks` rows of `fct_known_breaks`.
    """
    names: dict[str, set[str]] = {}
    for row in members:
        names.setdefault(row["project"], {""}).add(row["name"])
    known = sorted(breaks, key=lambda row: (row["from_date"], row["id"]))
    within: dict[str, list[Row]] = {}
    spans = {}
    for figure in found:
        if (figure.change if span == MONTH else figure.change_of_year) is None:
            continue
        meaning = figure.meaning
        if meaning.figure not in within:
            # The earlier window begins its own length before its week ends.
            first = week_before(as_of, span) + timedelta(days=7 - meaning.window_days)
            within[meaning.figure] = [
                row
                for row in known
                if any(source == row["source"] or source.startswith(f"{row['source']}_") for source in meaning.sources)
                and first < (row["to_date"] or row["from_date"])
                and row["from_date"] <= as_of
            ]
        spans[figure.scope, meaning.figure] = tuple(
            dict.fromkeys(
                Break(row["from_date"], row["what_changed"], row["link"])
                for row in within[meaning.figure]
                if (row["scope"] or "") in names.get(figure.scope, {""})
            )
        )
    return {key: touched for key, touched in spans.items() if touched}


def counted(value: float, thing: str, things: str | None = None) -> str:
    """A count with its noun: 1 day, 1,204 days. `things` is an irregular plural."""
    return f"{number(value)} {thing if value == 1 else things or thing + 's'}"


def number(value: float) -> str:
    """At most three figures behind the point for a small number, none for a large one."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.3g}"


def percent(value: float) -> str:
    """A change in percent with its sign, to one tenth."""
    return f"{value:+,.1f} %"


def worded(value: float, unit: str) -> str:
    """A value with its unit, as in "3.5 days", "42 %" or "1,204"."""
    match unit:
        case "share":
            return f"{100 * value:.0f} %"
        case "percent":
            return percent(value)
        case "hours" if value >= 48:
            return f"{number(round(value / 24, 1))} days"
        case "hours" | "days":
            return f"{number(round(value, 1))} {unit if value != 1 else unit.removesuffix('s')}"
        case "downloads a day":
            return f"{number(round(value))} a day"
        case _:
            return number(value)
