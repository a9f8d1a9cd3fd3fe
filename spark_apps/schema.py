"""What a raw table is: its columns, how each is read from an item's JSON, its key and its order.

A table module builds one `Table`. Items are parsed with every scalar as text, so that a number
that comes as a string is told from one that is lost, and each text is then typed or refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Type = Literal["string", "bigint", "int", "boolean", "date", "timestamp", "array<string>"]

EARLIEST = "1900-01-01"
LATEST = "2200-01-01"
"""Dates are at or after EARLIEST and before LATEST; beyond lies what engines cannot all hold."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the Spark SQL expression that gives it.

    `text` is an expression over `item` (the parsed JSON) whose text is typed strictly; `given` one that
    has the type already and may also use the landing's `scope`, `source`, `as_of` and `upstream_id`.
    """

    name: str
    type: Type
    text: str | None = None
    given: str | None = None
    is_required: bool = False

    @property
    def value(self) -> str:
        """The typed value; null where the text cannot be typed without loss."""
        return _TYPED[self.type](self.text) if self.text else str(self.given)

    @property
    def problem(self) -> str | None:
        """SQL text that says what is wrong with a row's value, null where nothing is; None if nothing can be."""
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


def read(name: str, kind: Type, path: str, *, required: bool = False) -> Column:
    """A column typed from the text at `path` in the item, such as `user.login`."""
    return Column(name, kind, text=f"item.{path}", is_required=required)


def given(name: str, kind: Type, expression: str, *, required: bool = False) -> Column:
    """A column whose expression already has its type."""
    return Column(name, kind, given=expression, is_required=required)


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


@dataclass(frozen=True, slots=True)
class Table:
    """A raw table.

    `item` is the DDL of the item's JSON with scalars as STRING; `key` the natural key; `scope`
    the column, part of the key or not, that holds one landing's scope (as `scope_value` gives it), by which a
    load finds the rows that it may touch. `changed_at` orders versions of a row, where items tell
    when they changed; elsewhere the later landing wins.
    """

    name: str
    item: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    scope: str
    scope_value: Literal["scope", "upstream_id"]
    partitions: str
    changed_at: str | None = None
    removal: Removal | None = None
    target_file_mb: int = 64

    @property
    def typed(self) -> tuple[str, ...]:
        """Names of the typed columns, the removal flag last."""
        return tuple(column.name for column in self.columns) + ((self.removal.column,) if self.removal else ())

    @property
    def layout(self) -> dict[str, str]:
        """Every column of the Iceberg table with its SQL type, in order."""
        flag = {self.removal.column: "boolean"} if self.removal else {}
        return {column.name: column.type for column in self.columns} | flag | COMMON

    @property
    def dates(self) -> tuple[str, ...]:
        """Columns that hold a date or a time."""
        return tuple(column.name for column in self.columns if column.type in ("date", "timestamp"))


COMMON: dict[str, str] = {
    "landing_id": "string",
    "load_seq": "bigint",
    "fetched_at": "timestamp",
    "loaded_at": "timestamp",
    "payload": "string",
}
"""Columns of every raw table: where a row came from, which load wrote it, and its item as it came."""
