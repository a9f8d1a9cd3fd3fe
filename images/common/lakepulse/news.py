"""What happened to a project, a row of `fct_news` as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakepulse.figures import number


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
            raise ValueError(f"fct_news has a kind that has no words here: {other}")
