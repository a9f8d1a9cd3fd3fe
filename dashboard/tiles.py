"""The Overview's rows of figures, in plain HTML: each of Streamlit's own metrics would bring a whole chart along."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from math import isnan
from typing import NamedTuple

import streamlit as st

from dashboard.charts import is_dark

_STYLE = """
<style>
.lp-row { border: 1px solid rgba(128, 140, 152, .4); border-radius: .5rem; padding: .75rem 1rem; margin-bottom: .75rem; }
.lp-row { container-type: inline-size; }
.lp-row h3 { font-size: 1.25rem; padding: 0; margin: 0 0 .5rem; }
.lp-said { margin: 0 0 .5rem; }
.lp-figures, .lp-figures li { margin: 0 !important; padding: 0 !important; }
.lp-figures { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); gap: .75rem 1.25rem; list-style: none; }
@container (max-width: 60rem) { .lp-figures { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
@container (max-width: 32rem) { .lp-figures { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@container (max-width: 22rem) { .lp-figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.lp-figures li > * { display: flex; flex-direction: column; height: 100%; }
.lp-figures a { color: inherit; text-decoration: none; border-radius: .25rem; }
.lp-figures a:hover .lp-label, .lp-figures a:focus-visible .lp-label { text-decoration: underline; }
.lp-label { display: block; font-size: .875rem; }
.lp-value { display: block; font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere; }
.lp-note { display: block; font-size: .875rem; line-height: 1.3; }
.lp-figures img { display: block; width: 100%; height: 2.25rem; margin-top: auto; }
</style>
"""
_WIDTH, _HEIGHT = 120, 36
# Enough contrast on either background; the sign says the same.
_TONES = {
    True: {"good": "#4cc38a", "bad": "#ff9592", "none": "inherit"},
    False: {"good": "#0b6b3a", "bad": "#b3261e", "none": "inherit"},
}
_LINE = {True: "#56B4E9", False: "#0072B2"}


class Figure(NamedTuple):
    """One figure of a row: `note` is below it, coloured by `tone` (good, bad or none); `line` has the evenly spaced points
    of its sparkline (NaN: a gap); `link` is where it leads."""

    label: str
    value: str
    line: Sequence[float] = ()
    note: str = ""
    tone: str = "none"
    link: str = ""


def show(rows: Sequence[tuple[str, Sequence[Figure], str]]) -> None:
    """Show per name a row of figures and a sentence above them. All are text, never HTML."""
    st.html(_STYLE + "".join(row(name, figures, said, dark=is_dark()) for name, figures, said in rows))


def row(name: str, figures: Sequence[Figure], said: str = "", *, dark: bool) -> str:
    """The row as HTML."""
    sentence = f'<p class="lp-said">{escape(said)}</p>' if said else ""
    items = "".join(f"<li>{_figure(name, figure, dark=dark)}</li>" for figure in figures)
    return f'<section class="lp-row"><h3>{escape(name)}</h3>{sentence}<ul class="lp-figures">{items}</ul></section>'


def _figure(name: str, figure: Figure, *, dark: bool) -> str:
    inside = (
        f'<span class="lp-label">{escape(figure.label)}</span><span class="lp-value">{escape(figure.value)}</span>'
        f'<span class="lp-note" style="color: {_TONES[dark][figure.tone]}">{escape(figure.note)}</span>'
        f"{sparkline(figure.line, _LINE[dark])}"
    )
    # Screen readers list links out of context, where a bare figure would mean nothing.
    said = escape(f"{name}, {figure.label}: {figure.value}" + (f", {figure.note}" if figure.note else ""))
    link = f'<a href="{escape(figure.link)}" target="_self" aria-label="{said}">{inside}</a>'
    return link if figure.link else f"<div>{inside}</div>"


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
