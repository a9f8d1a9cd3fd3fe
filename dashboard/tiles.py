"""Briefs and the comparison of projects, in plain HTML: each of Streamlit's own metrics would bring a whole chart along.

All names and sentences are text, never HTML.
"""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import NamedTuple

import streamlit as st

from dashboard import text
from dashboard.charts import is_dark
from lakepulse.brief import QUESTIONS, Answer, Brief, Part, Sentence
from lakepulse.figures import Figure, Tone, Trend, worded

_STYLE = """
<style>
/* The first page is read without scrolling. */
[data-testid=stMainBlockContainer]:has(.lp-dense) { padding: 3.75rem 2rem 2rem; }
[data-testid=stMainBlockContainer]:has(.lp-dense) > [data-testid=stVerticalBlock] { gap: .5rem; }
[data-testid=stMainBlockContainer]:has(.lp-dense) h1 { font-size: 1.25rem; padding: 0; }
[data-testid=stMainBlockContainer]:has(.lp-dense) h2 { font-size: 1.1rem; padding: .25rem 0; }
[data-testid=stMainBlockContainer]:has(.lp-dense) [data-testid=stAlertContainer] { padding: .4rem .75rem; }
.lp-grid { container-type: inline-size; }
.lp-briefs { display: grid; gap: .5rem; grid-template-columns: repeat(var(--lp-columns), minmax(0, 1fr)); }
.lp-1 { --lp-columns: 1; } .lp-2 { --lp-columns: 2; } .lp-3 { --lp-columns: 3; } .lp-4 { --lp-columns: 4; }
@container (max-width: 56rem) { .lp-3, .lp-4 { --lp-columns: 2; } }
@container (max-width: 32rem) { .lp-2, .lp-3, .lp-4 { --lp-columns: 1; } }
.lp-brief { border: 1px solid rgba(128, 140, 152, .4); border-radius: .5rem; padding: .4rem .6rem; font-size: .8125rem;
    line-height: 1.35; display: grid; grid-row: span 7; grid-template-rows: subgrid; row-gap: .25rem; overflow-wrap: anywhere; }
.lp-brief h3 { font-size: 1rem; padding: 0; margin: 0; }
.lp-brief p, .lp-table p { margin: 0; font-size: inherit; line-height: inherit; }
.lp-1 .lp-brief { font-size: .9375rem; row-gap: .4rem; }
.lp-brief a, .lp-table a, .lp-news a { color: inherit; text-decoration: underline; text-decoration-thickness: 1px;
    text-underline-offset: 2px; text-decoration-color: rgba(128, 140, 152, .9); border-radius: .2rem; }
.lp-brief a:hover, .lp-table a:hover, .lp-news a:hover { text-decoration-color: currentColor; }
.lp-missing { text-decoration: none; cursor: help; }
.lp-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.lp-scroll { overflow-x: auto; }
.lp-table { border-collapse: collapse; width: 100%; font-size: .8125rem; line-height: 1.35; }
.lp-table caption { text-align: left; }
.lp-table th, .lp-table td { border-bottom: 1px solid rgba(128, 140, 152, .3); padding: .3rem .5rem; text-align: left;
    vertical-align: top; min-width: 7rem; }
.lp-table thead th { vertical-align: bottom; }
.lp-table th small, .lp-table td small { font-size: .75rem; font-weight: normal; display: block; white-space: nowrap; }
.lp-lines th, .lp-lines td { padding: .15rem .5rem; }
.lp-lines td:nth-child(2) { min-width: 15rem; }
.lp-group th { padding-top: .9rem; font-size: .9375rem; }
.lp-cell { display: flex; gap: .5rem; justify-content: space-between; align-items: center; }
.lp-cell img { width: 3.25rem; height: 1.6rem; flex: none; }
.lp-table li { margin: 0; font-size: inherit; }
.lp-news { font-size: .875rem; line-height: 1.35; list-style: none; }
.lp-news, .lp-news li { margin: 0 !important; padding: 0 !important; font-size: .875rem !important; line-height: 1.35; }
.lp-news summary { cursor: pointer; text-decoration: underline dotted; }
</style>
"""
_WIDTH, _HEIGHT = 120, 36
# Enough contrast on either background; the arrow and the word say the same.
_TONES: Mapping[bool, Mapping[Tone, str]] = {
    True: {"good": "#4cc38a", "bad": "#ff9592"},
    False: {"good": "#0b6b3a", "bad": "#b3261e"},
}
_LINE = {True: "#56B4E9", False: "#0072B2"}
_PARTIAL = "◐"

_MARKS: Mapping[Tone, str] = {"good": "▲ ", "bad": "⚠ ", "none": ""}

KEYS = {
    "carried": "behind half of the commits",
    "answered": "answered within 7 days",
    "adopted": "downloads a day",
    "trusted": "figures complete",
}
"""Question -> what the number beside its verdict is, in the table of many projects."""

Link = Callable[[str, str], str]
"""The address of what a number of a project is about."""


class Row(NamedTuple):
    """A figure as a row of the comparison. `cells` are by project, `link` leads to the figure of all."""

    question: str
    title: str
    cells: Mapping[str, Figure]
    lines: Mapping[str, Sequence[float]]
    link: str


def escape(words: object) -> str:
    """Text of others as HTML."""
    words = str(words)
    # Spaces at the ends hold the words apart.
    ends = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :] if words.strip() else ""
    return html.escape(f"{ends[0]}{text.plain(words)}{ends[1]}")


def style(*, dense: bool = True) -> None:
    """What the other functions need once on a page; a dense page has less space between its parts."""
    st.html(_STYLE + ('<span class="lp-dense"></span>' if dense else ""))


def cards(briefs: Sequence[Brief], link: Link, *, named: bool = True) -> None:
    """Show briefs side by side, `named` by their projects."""
    dark = is_dark()
    made = "".join(_card(brief, link, named=named, dark=dark) for brief in briefs)
    st.html(f'<div class="lp-grid"><div class="lp-briefs lp-{min(len(briefs), 4)}">{made}</div></div>')


def _card(brief: Brief, link: Link, *, named: bool, dark: bool) -> str:
    state = _state(brief, link)
    answers = "".join(
        f"<p><strong>{escape(QUESTIONS[answer.question])} {_verdict(answer, dark=dark)}</strong> "
        f"{_sentence(answer.sentence, brief.project, link, dark=dark)}</p>"
        for answer in brief.answers
    )
    name = f"<h3>{_anchor(brief.project, link(brief.project, ''))}</h3>" if named else ""
    return f'<section class="lp-brief">{name}<p>{state}</p>{answers}</section>'


def _state(brief: Brief, link: Link) -> str:
    state = _anchor(brief.state, link(brief.project, "commits_28d")) if brief.state else ""
    return state + (f" <em>Note: {escape('; '.join(brief.notes))}.</em>" if brief.notes else "")


def table(briefs: Sequence[Brief], link: Link) -> None:
    """Show many briefs, a row each: the state in a sentence, the other answers in a word and a number."""
    dark = is_dark()
    heads = "".join(
        f'<th scope="col">{escape(said)}<small>{escape(KEYS.get(name, ""))}</small></th>' for name, said in QUESTIONS.items()
    )
    body = "".join(
        f'<tr><th scope="row">{_anchor(brief.project, link(brief.project, ""))}</th>'
        + "".join(f"<td>{_short(brief, answer, link, dark=dark)}</td>" for answer in brief.answers)
        + "</tr>"
        for brief in briefs
    )
    head = f'<thead><tr><th scope="col">Project</th>{heads}</tr></thead>'
    _scrolling("The projects, one per row", f'<table class="lp-table lp-lines">{head}<tbody>{body}</tbody></table>')


def _short(brief: Brief, answer: Answer, link: Link, *, dark: bool) -> str:
    if answer.question == "alive" and brief.state:
        return _toned(_MARKS[answer.tone], _state(brief, link), answer.tone, dark=dark)
    # The first part of a sentence is its number, or why there is none.
    return f"<strong>{_verdict(answer, dark=dark)}</strong> {_part(answer.sentence[0], brief.project, link, dark=dark)}"


def comparison(projects: Sequence[str], rows: Sequence[Row], link: Link) -> None:
    """Show figures as rows, grouped by question, and projects as columns. What is missing is explained below the table."""
    dark = is_dark()
    reasons: dict[str, int] = {}
    heads = "".join(f'<th scope="col">{_anchor(name, link(name, ""))}</th>' for name in projects)
    body, group = [], ""
    for row in rows:
        if row.question != group:
            group = row.question
            body.append(f'<tr class="lp-group"><th scope="colgroup" colspan="{len(projects) + 1}">{QUESTIONS[group]}</th></tr>')
        cells = "".join(
            f"<td>{_cell(row, name, link, reasons, dark=dark) if name in row.cells else ''}</td>" for name in projects
        )
        body.append(f'<tr><th scope="row">{_anchor(row.title, row.link)}</th>{cells}</tr>')
    head = f'<thead><tr><th scope="col">Figure</th>{heads}</tr></thead>'
    notes = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    below = f'<div class="lp-table"><p>What is missing ({_PARTIAL}: partial)</p><ol>{notes}</ol></div>' if reasons else ""
    _scrolling(
        "Figures of the projects side by side", f'<table class="lp-table">{head}<tbody>{"".join(body)}</tbody></table>{below}'
    )


Line = tuple[str, Sequence[tuple[str, str, str]]]
"""A heading, and its items: a name, its address, and the text after it."""


def news(lines: Sequence[Line], more: str = "", hidden: Sequence[Line] = ()) -> None:
    """Show what happened, a line for each heading, and as the last line `more`, which opens the hidden ones."""
    inside = f'<ul class="lp-news">{_lines(hidden)}</ul>'
    rest = f"<li><details><summary>{escape(more)}</summary>{inside}</details></li>" if hidden else ""
    st.html(f'<ul class="lp-news">{_lines(lines)}{rest}</ul>')


def _lines(lines: Sequence[Line]) -> str:
    said = (
        (heading, "; ".join((_anchor(name, link) if link else escape(name)) + escape(rest) for name, link, rest in items))
        for heading, items in lines
    )
    return "".join(f"<li><strong>{escape(heading)}:</strong> {items}.</li>" for heading, items in said)


def _scrolling(name: str, inside: str) -> None:
    # A region that scrolls must be reached by keyboard.
    st.html(f'<div class="lp-scroll" role="region" aria-label="{escape(name)}" tabindex="0">{inside}</div>')


def _anchor(words: str, address: str) -> str:
    return f'<a href="{html.escape(address)}" target="_self">{escape(words)}</a>'


def _verdict(answer: Answer, *, dark: bool) -> str:
    return _toned(_MARKS[answer.tone], f"{escape(answer.verdict)}.", answer.tone, dark=dark)


def _toned(mark: str, words: str, tone: Tone, *, dark: bool) -> str:
    colour = "" if tone == "none" else f' style="color: {_TONES[dark][tone]}"'
    shown = f'<span aria-hidden="true">{mark}</span>' if mark else ""
    return f"<span{colour}>{shown}{words}</span>"


def _sentence(sentence: Sentence, project: str, link: Link, *, dark: bool) -> str:
    return "".join(_part(part, project, link, dark=dark) for part in sentence)


def _part(part: Part, project: str, link: Link, *, dark: bool) -> str:
    words = _anchor(part.text, link(project, part.about)) if part.about else escape(part.text)
    if part.arrow:
        words = _toned(f"{part.arrow} ", words, part.tone, dark=dark)
    if part.missing:
        reason = escape(part.missing)
        words += (
            f' <span class="lp-missing" title="{reason}">{_PARTIAL}<span class="lp-hidden">incomplete: {reason}</span></span>'
        )
    return words


def _cell(row: Row, project: str, link: Link, reasons: dict[str, int], *, dark: bool) -> str:
    figure = row.cells[project]
    mark = ""
    if figure.status in {"partial", "unknown"} or figure.value is None:
        number = reasons.setdefault(figure.reason or figure.status, len(reasons) + 1)
        mark = f"<sup>{_PARTIAL if figure.status == 'partial' else ''} {number}</sup>"
    if figure.value is None:
        # What does not exist is no gap.
        words = "none" if figure.status == "none" else "–" if figure.status == "known" else "unknown"
        return f"{words}{mark}"
    value = _anchor(worded(figure.value, figure.meaning.unit), link(project, figure.meaning.figure))
    trends = "".join(
        f"<small>{_trend(trend, span, dark=dark)}</small>"
        for trend, span in ((figure.in_a_month, "month"), (figure.in_a_year, "year"))
        if trend is not None
    )
    drawn = sparkline(row.lines.get(project, ()), _LINE[dark])
    return f'<div class="lp-cell"><span>{value}{mark}{trends}</span>{drawn}</div>'


def _trend(trend: Trend, span: str, *, dark: bool) -> str:
    return _toned(f"{trend.arrow} ", escape(trend.said(span)), trend.tone, dark=dark)


def sparkline(values: Sequence[float], colour: str) -> str:
    """A small line through evenly spaced values, broken at NaN. It is decoration: the figure beside it has the number."""
    known = [value for value in values if not isnan(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    scale = (_HEIGHT - 6) / (high - low or 1)
    step = (_WIDTH - 4) / max(len(values) - 1, 1)
    path, begun = [], False
    for index, value in enumerate(values):
        if isnan(value):
            begun = False
            continue
        x, y = 2 + index * step, _HEIGHT - 3 - (value - low) * scale
        # A line without length has round ends, so a value between two gaps is a dot.
        path.append(f"L{x:.1f},{y:.1f}" if begun else f"M{x:.1f},{y:.1f}h0")
        begun = True
    # An image, since Streamlit strips SVG from HTML.
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">'
        f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round"'
        ' vector-effect="non-scaling-stroke"/></svg>'
    )
    return f'<img alt="" src="data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}">'
