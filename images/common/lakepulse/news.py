"""What happened lately, in words: rows of `fct_news` as sentences, and as items that pages and the digest both show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from lakepulse.brief import listed
from lakepulse.figures import Row, counted, number

LABELS = {
    "release": "Releases",
    "unusual_downloads": "Unusual downloads",
    "backlog": "Backlogs that turned",
    "newcomer": "First commits",
}
"""Kind of an item -> its heading, the most important kind first."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that happened: `name` is whom or what it is about, `text` goes on after it."""

    kind: str
    project: str
    name: str
    text: str


def items(rows: Iterable[Row], first: date) -> list[Item]:
    """What happened on `first` or later, the most important kind first, then the latest.

    The first commits of a project are one item. `rows` are those of `fct_news`.
    """
    recent = sorted(
        (row for row in rows if row["happened_on"] >= first),
        key=lambda row: (-row["happened_on"].toordinal(), row["project"], row["scope"], row["subject"]),
    )
    newcomers = sorted((row for row in recent if row["kind"] == "newcomer"), key=lambda row: (row["project"], row["subject"]))
    found = [_item(row) for row in recent if row["kind"] != "newcomer"]
    for project, of_project in groupby(newcomers, key=lambda row: row["project"]):
        names = [row["subject"] for row in of_project]
        found.append(Item("newcomer", project, project, f": {counted(len(names), 'person', 'people')}, {listed(names)}"))
    places = list(LABELS)
    return sorted(found, key=lambda item: places.index(item.kind))


def _item(row: Row) -> Item:
    # A sentence begins with what it is about.
    kind = "backlog" if row["kind"].startswith("backlog") else row["kind"]
    return Item(kind, row["project"], row["scope"], sentence(row).removeprefix(row["scope"]))


def sentence(row: Mapping[str, Any]) -> str:
    """One line of plain text, with others' names as they are: escape it for where it is shown."""
    scope, subject = row["scope"], row["subject"]
    match row["kind"]:
        case "release":
            return f"{scope} {subject}, {row['happened_on']}"
        case "unusual_downloads":
            return f"{scope}: {number(row['value'])} on {row['happened_on']}, usually about {number(row['usual'])}"
        case "backlog_grows" | "backlog_shrinks":
            began = "began to grow" if row["kind"] == "backlog_grows" else "began to shrink"
            ratios = f"{row['value']:.2f} closed per opened in 8 weeks, {row['usual']:.2f} a week earlier"
            return f"{scope}: {began}, {ratios}"
        case "newcomer":
            return f"{scope}: first commit by {subject}, {row['happened_on']}"
        case other:
            raise ValueError(f"fct_news has a kind without a sentence here: {other}")
