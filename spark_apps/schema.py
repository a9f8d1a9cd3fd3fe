"""What a raw table is: its columns, how each is read from an item's JSON, its key and its order.

A table module builds one `Table`, the only definition of the table: load makes the Iceberg table from it, and
`spark_apps.contract` renders dbt's view of it. Items are parsed with every scalar as text, so that a number
sent as a string is kept apart from a missing one, and each text is then typed or refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from lakepulse.outcome import PermanentError
from lakepulse.sources import ScopeKind, sources_of

Type = Literal["string", "bigint", "int", "boolean", "date", "timestamp", "array<string>"]

EARLIEST = "1970-01-02"
"""The first date that a row can have: a clock that was reset says the start of the epoch."""

LATEST = "2200-01-01"
"""The first date that no row can have: not all engines hold later ones."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the Spark SQL expression that gives it.

    `text` is an expression over `item` (the parsed JSON) whose text is typed strictly; `given` one that has
    the type already, of either `item` or the landing's `scope`, `source`, `as_of` and `upstream_id`. A row
    without a required value is held back; of dates, one that is usable is enough. dbt reads the column unless
    `in_bronze` is false.
    """

    name: str
    type: Type
    text: str | None = None
    given: str | None = None
    is_required: bool = False
    in_bronze: bool = True

    @property
    def value(self) -> str:
        """The typed value; null where the text cannot be typed without loss."""
        return _TYPED[self.type](self.text) if self.text else str(self.given)

    @property
    def is_from_item(self) -> bool:
        """Whether the kept payload gives the value."""
        return self.text is not None or "item." in str(self.given)

    @property
    def problem(self) -> str | None:
        """SQL text that says why a row's value cannot be used, null where it can; None if it always can."""
        cases = ""
        if self.text and self.type != "string":
            cases += (
                f" WHEN {self.text} IS NOT NULL AND {self.name} IS NULL"
                f" THEN concat('{self.name}: ', left({self.text}, 80), ' is not a {self.type}')"
            )
        if self.is_required:
            cases += f" WHEN {self.name} IS NULL THEN '{self.name}: missing'"
        return f"CASE{cases} END" if cases else None


def _number(text: str) -> str:
    # 12 and 12.0 are the same whole number; 12.5 is none.
    decimal = f"try_cast({text} AS DECIMAL(38, 9))"
    return f"CASE WHEN {decimal} = floor({decimal}) THEN try_cast({decimal} AS BIGINT) END"


def _instant(text: str) -> str:
    # The pattern first: Spark alone would take '2024' or '12:30' for a time.
    instant = f"try_cast({text} AS TIMESTAMP)"
    return (
        f"CASE WHEN {text} RLIKE '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,6}})?)?"
        f"(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$' AND {instant} >= '{EARLIEST}' AND {instant} < '{LATEST}' THEN {instant} END"
    )


def _day(text: str) -> str:
    day = f"try_cast({text} AS DATE)"
    return (
        f"CASE WHEN {text} RLIKE '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' AND {day} >= '{EARLIEST}' AND {day} < '{LATEST}'"
        f" THEN {day} END"
    )


_TYPED: dict[Type, Callable[[str], str]] = {
    "string": lambda text: text,
    "bigint": _number,
    "boolean": lambda text: f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    "date": _day,
    "timestamp": _instant,
}


def read(name: str, kind: Type, path: str, *, required: bool = False, in_bronze: bool = True) -> Column:
    """A column typed from the text at `path` in the item, such as `user.login`."""
    return Column(name, kind, text=f"item.{path}", is_required=required, in_bronze=in_bronze)


def given(name: str, kind: Type, expression: str, *, required: bool = False, in_bronze: bool = True) -> Column:
    """A column whose expression already has its type."""
    return Column(name, kind, given=expression, is_required=required, in_bronze=in_bronze)


def kind_by_source(table: str) -> str:
    """SQL text that gives the register's `kind` of a row's `source`, for a table that several sources share.

    Raises:
        PermanentError: a source of the table has no kind.
    """
    entries = sources_of(table)
    for entry in entries:
        if entry.kind is None:
            raise PermanentError(f"source {entry.name} has no kind in lakepulse/sources.py; the raw table {table} needs one")
    cases = (f"WHEN '{entry.name}' THEN '{entry.kind}'" for entry in entries)
    return f"CASE source {' '.join(cases)} END"


@dataclass(frozen=True, slots=True)
class Removal:
    """How rows that upstream no longer lists are marked, and seen again.

    `column` is `gone_value` for a row whose `key` no keys file lists. Only rows whose `born` lies
    before the listing began are judged by it: a younger one may have come after its page was read.
    """

    column: str
    gone_value: bool
    key: str
    born: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A raw table.

    `description` says what a row is. `item` is the DDL of the item's JSON with scalars as STRING; `key` the
    natural key; `scope` the column, part of the key or not, that holds one landing's scope (as `scope_value`
    gives it), by which a load finds the rows that it may touch. `changed_at` orders versions of a row, where
    items say when they changed; elsewhere the later landing wins.

    What dbt needs beyond the columns: `counted_by` are the event times that a row is counted by, so that one
    without them is left out of gold (except where the boolean column `undated_if` is true), `also_dated` further
    event times, `newest_by` the time that says how recent a row is. `label` names the rows in checks; default: `name`.

    Raises:
        PermanentError: one of these names no column of a fitting type.
    """

    name: str
    description: str
    item: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    scope: str
    scope_value: Literal["scope", "upstream_id"]
    partitions: str
    counted_by: tuple[str, ...]
    newest_by: str
    also_dated: tuple[str, ...] = ()
    undated_if: str | None = None
    label: str | None = None
    changed_at: str | None = None
    removal: Removal | None = None
    target_file_mb: int = 64

    def __post_init__(self) -> None:
        held = {column.name for column in self.columns if column.in_bronze}
        problems = [f"key: {name}" for name in self.key if name not in held]
        problems += [f"event time: {name}" for name in (*self.moments, self.newest_by) if name not in {*self.dates} & held]
        problems += [f"undated_if: {name}" for name in (self.undated_if,) if name is not None and name not in held]
        if self.removal:
            kinds = {column.name: column.type for column in self.columns}
            fitting = {"removal key": (self.removal.key, None), "removal born": (self.removal.born, "timestamp")}
            problems += [
                f"{what}: {name}"
                for what, (name, kind) in fitting.items()
                if name not in kinds or kind not in (None, kinds[name])
            ]
        if not self.counted_by:
            problems.append("counted_by: empty")
        if problems:
            raise PermanentError(f"raw table {self.name}: not a bronze column, or of another type: {', '.join(problems)}")

    @property
    def scope_kind(self) -> ScopeKind:
        """What the table is about, which is also the name of its column with the repo or package.

        Raises:
            PermanentError: its sources differ in it.
        """
        kinds: set[ScopeKind] = {entry.scope for entry in sources_of(self.name)}
        if len(kinds) != 1:
            raise PermanentError(
                f"raw table {self.name}: its sources in lakepulse/sources.py need one scope, not {sorted(kinds)}"
            )
        return kinds.pop()

    @property
    def moments(self) -> tuple[str, ...]:
        """Columns with the time of an event."""
        return self.counted_by + self.also_dated

    @property
    def typed(self) -> tuple[str, ...]:
        """Names of the columns that an item decides: the typed ones, the removal flag and `odd`."""
        return tuple(column.name for column in self.columns) + ((self.removal.column,) if self.removal else ()) + (ODD,)

    @property
    def problems(self) -> str:
        """SQL text that names the columns whose text cannot be used, and why; empty if all can."""
        return f"concat_ws('; ', {', '.join(column.problem for column in self.columns if column.problem)})"

    @property
    def is_unusable(self) -> str:
        """SQL condition: a row lacks its key, another required value, or a usable date where it gives dates."""
        needed = [c for c in self.columns if c.name in self.key or (c.is_required and c.name not in self.dates)]
        undated = " AND ".join(f"{name} IS NULL" for name in self.dates)
        dates = ", ".join(column.problem for column in self.columns if column.name in self.dates and column.problem)
        conditions = [f"{column.name} IS NULL" for column in needed]
        conditions += [f"({undated} AND concat_ws('', {dates}) <> '')"] if dates else []
        return " OR ".join(conditions)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with how an item is typed."""
        facts = (self.item, self.problems, *(f"{column.name} {column.type} {column.value}" for column in self.columns))
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]

    def scope_literals(self, values: Iterable[str]) -> str:
        """SQL list of values of the scope column, given as text; empty without any."""
        if self.scope_value == "upstream_id":
            return ", ".join(sorted(set(values)))
        return ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(set(values)))

    @property
    def layout(self) -> dict[str, str]:
        """Every column of the Iceberg table with its SQL type, in order."""
        flag = {self.removal.column: "boolean"} if self.removal else {}
        return {column.name: column.type for column in self.columns} | flag | COMMON

    @property
    def bronze_layout(self) -> dict[str, str]:
        """The columns that dbt reads, with their SQL types, in order."""
        left_out = {PAYLOAD, *(column.name for column in self.columns if not column.in_bronze)}
        return {name: kind for name, kind in self.layout.items() if name not in left_out}

    @property
    def dates(self) -> tuple[str, ...]:
        """Columns that hold a date or a time."""
        return tuple(column.name for column in self.columns if column.type in ("date", "timestamp"))


ODD = "odd"
"""Column that says which texts of a row's item could not be used, and why; null where all could."""

PAYLOAD = "payload"
"""Column with the item as it came; by far the largest, and never read after load."""

COMMON: dict[str, str] = {
    ODD: "string",
    "landing_id": "string",
    "load_seq": "bigint",
    "fetched_at": "timestamp",
    "loaded_at": "timestamp",
    PAYLOAD: "string",
}
"""Columns of every raw table: what is odd about a row, where it came from, which load wrote it, and its item."""
