"""Text for pages. Names, titles and labels come from anyone on the internet: they are shown as they are, never interpreted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import humanize

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ISOLATE, _END = "\u2068", "\u2069"


def literal(text: object) -> str:
    """Markdown that shows `text` as it is, on one line, and isolates its writing direction."""
    return _PUNCTUATION.sub(r"\\\1", plain(text))


def plain(text: object) -> str:
    """The text on one line, its writing direction isolated."""
    line = _DIRECTION.sub("", " ".join(str(text).split()))
    return line if line.isascii() else f"{_ISOLATE}{line}{_END}"


def sentence(text: object) -> str:
    """Markdown like that of `literal`, ending in exactly one full stop."""
    return literal(str(text).rstrip(".")) + "."


def web_link(url: str | None) -> str | None:
    """The address if it is a plain https one, else None: addresses are data too."""
    return url if isinstance(url, str) and re.fullmatch(r"https://[\w.-]+(/[\w./#?=&%~+-]*)?", url) else None


def version(name: str) -> str:
    """A tag without the text before its number: `release-1.2.0` becomes 1.2.0."""
    return re.sub(r"^\D+(?=\d)", "", name)


def number(value: float | None, digits: int = 0) -> str:
    """A number with thousands separators; a dash if missing."""
    return "–" if value is None or value != value else f"{value:,.{digits}f}"  # noqa: PLR0124 - NaN is not itself


def short(value: float | None) -> str:
    """A number in at most five characters: 950, 9,999, 12.3k, 4.6M; a dash if missing."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return "–"
    for unit, size in (("M", 1_000_000), ("k", 10_000)):
        if abs(value) >= size:
            scaled = value / (1_000 if unit == "k" else size)
            return f"{scaled:,.0f}{unit}" if abs(scaled) >= 100 else f"{scaled:,.1f}{unit}"
    return f"{value:,.0f}"


def percent(value: float | None) -> str | None:
    """A signed percentage; None if missing."""
    return None if value is None or value != value else f"{value:+.1f}%"  # noqa: PLR0124 - NaN is not itself


def count(number: int, thing: str, things: str | None = None) -> str:
    """A number with its noun: 1 day, 2 days. `things` is an irregular plural."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """Names as a phrase: a, b and c. Beyond the first `most`, they are only counted."""
    return humanize.natural_list([*names[:most], *([f"{len(names) - most:,} more"] if len(names) > most else [])])


def duration(hours: float | None) -> str:
    """Hours in a suitable unit: 30 min, 26.5 h, 3.0 days; a dash if missing."""
    if hours is None or hours != hours:  # noqa: PLR0124 - NaN is not itself
        return "–"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def age(then: datetime | date, now: datetime) -> str:
    """How long ago, in words. Both are UTC: a date means its start, and a time without zone is UTC."""
    if not isinstance(then, datetime):
        then = datetime(then.year, then.month, then.day, tzinfo=now.tzinfo)
    elif then.tzinfo is None:
        then = then.replace(tzinfo=now.tzinfo)
    return humanize.naturaltime(max(now - then, timedelta(0)), months=False)
