"""Badges and charts as SVG that can be embedded anywhere: no script, no font and no style of others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from lakepulse.figures import Figure, Meaning, worded
from lakepulse_dbt.site.documents import Badge

WEEKS = 104
"""What a chart shows."""

# Verdana at 11 px, as badges are commonly set; textLength makes an estimate exact.
_CHARACTER = 6.5
_MARGIN = 6
_BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {value}">
  <title>{label}: {value} ({title})</title>
  <rect width="{width}" height="20" rx="3" fill="#1f4e79"/>
  <rect width="{left}" height="20" rx="3" fill="#404040"/>
  <g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
    <text x="{margin}" y="14" textLength="{label_length}">{label}</text>
    <text x="{value_x}" y="14" textLength="{value_length}">{value}</text>
  </g>
</svg>
"""

_WIDTH, _HEIGHT = 600, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 12, 588, 52, 186
_CHART = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}: {now}">
  <title>{title}: {now}</title>
  <style>
    svg {{ --ink: #1b1f24; --soft: #57606a; --line: #1f4e79; --rule: #d0d7de; }}
    @media (prefers-color-scheme: dark) {{ svg {{ --ink: #e6edf3; --soft: #9aa4ae; --line: #79b8ff; --rule: #3d444d; }} }}
    text {{ font: 12px Verdana, "DejaVu Sans", sans-serif; fill: var(--soft); }}
    .title {{ font-size: 14px; fill: var(--ink); }}
    path {{ fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }}
    .partial {{ stroke-dasharray: 2 4; }}
    .rule {{ stroke: var(--rule); stroke-width: 1; }}
  </style>
  <text class="title" x="{left}" y="20">{title}</text>
  <text x="{left}" y="40">{note}</text>
  <text x="{right}" y="40" text-anchor="end">{most}</text>
  <path class="rule" d="M{left} {bottom}H{right}"/>
{lines}
  <text x="{left}" y="{caption}">{first}</text>
  <text x="{right}" y="{caption}" text-anchor="end">{last}</text>
</svg>
"""
_PARTIAL = ' class="partial"'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """The text without what no XML document may have, not even escaped."""
    return _NOT_XML.sub("\ufffd", text)


def _markup(text: str) -> str:
    return escape(printable(text), {'"': "&quot;"})


def badge_document(figure: Figure) -> Badge:
    """The badge as shields.io draws it."""
    return Badge(label=figure.meaning.title, message=_message(figure), color="lightgrey" if figure.value is None else "1f4e79")


def _message(figure: Figure) -> str:
    return figure.status if figure.value is None else worded(figure.value, figure.meaning.unit)


def badge(figure: Figure, title: str) -> str:
    """The badge as SVG; `title` is what a pointer shows."""
    label, value = figure.meaning.title, _message(figure)
    label_length, value_length = (round(len(text) * _CHARACTER) for text in (label, value))
    left = label_length + 2 * _MARGIN
    return _BADGE.format(
        width=left + value_length + 2 * _MARGIN,
        left=left,
        margin=_MARGIN,
        label=_markup(label),
        label_length=label_length,
        value=_markup(value),
        value_x=left + _MARGIN,
        value_length=value_length,
        title=_markup(title),
    )


def chart(meaning: Meaning, scope: str, weeks: Sequence[Mapping[str, Any]], note: str) -> str:
    """A line of the last two years by week.

    A missing value is a gap and a partial one is dotted. `weeks` are rows of `fct_figures`, the oldest first.
    """
    shown = [week for week in weeks if week["week"] > weeks[-1]["week"] - timedelta(weeks=WEEKS)]
    values = [week["value"] for week in shown if week["value"] is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    first, last = shown[0]["week"], shown[-1]["week"]

    def place(week: Mapping[str, Any]) -> str:
        across = (week["week"] - first) / max(last - first, timedelta(weeks=1))
        up = (week["value"] - low) / ((high - low) or 1)
        return f"{_LEFT + across * (_RIGHT - _LEFT):.1f} {_BOTTOM - up * (_BOTTOM - _TOP):.1f}"

    lines = [f'  <path{_PARTIAL if is_partial else ""} d="M{"L".join(map(place, run))}"/>' for is_partial, run in _runs(shown)]
    newest = shown[-1]
    now = newest["reason"] or newest["status"] if newest["value"] is None else worded(newest["value"], meaning.unit)
    return _CHART.format(
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_RIGHT,
        bottom=_BOTTOM,
        caption=_BOTTOM + 20,
        title=_markup(f"{scope}, {meaning.title}"),
        now=_markup(now),
        note=_markup(note),
        most=_markup(f"{_short(now)}, at most {worded(max(values), meaning.unit)}" if values else _short(now)),
        lines="\n".join(lines),
        first=first,
        last=last,
    )


def _runs(weeks: Sequence[Mapping[str, Any]]) -> list[tuple[bool, list[Mapping[str, Any]]]]:
    """Lines without a gap, whether they are dotted, and their weeks; a week on its own is a dot."""
    runs: list[tuple[bool, list[Mapping[str, Any]]]] = []
    present = [week for week in weeks if week["value"] is not None]
    for before, week in pairwise(present):
        if week["week"] - before["week"] > timedelta(weeks=1):
            continue
        is_partial = "partial" in {before["status"], week["status"]}
        if runs and runs[-1][0] == is_partial and runs[-1][1][-1] is before:
            runs[-1][1].append(week)
        else:
            runs.append((is_partial, [before, week]))
    joined = {id(week) for _, run in runs for week in run}
    alone = [(week["status"] == "partial", [week, week]) for week in present if id(week) not in joined]
    return runs + alone


def _short(text: str) -> str:
    """What fits beside the note."""
    return text if len(text) <= 40 else f"{text[:39]}…"
