"""Small multiples: a chart for each repository, never one of the sum of unrelated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import streamlit as st

from dashboard import card, charts, looks, text
from dashboard.session import View

MOST = 6
_PER_ROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiples:
    """How the charts are drawn.

    Attributes:
        time: the column of dates.
        parts: the columns of values: stacked if they are parts of one whole, else a line each.
        title: what they show, in words.
        listed: the upstream's list of what a repository did between two days, for a click.
    """

    time: str
    parts: Sequence[str]
    title: str
    unit: str
    grain: str
    sources: Sequence[str]
    listed: Callable[[str, date, date], str]
    are_parts_of_one: bool = False

    def show(self, view: View, frame: pd.DataFrame) -> None:
        """Draw the repositories with the largest numbers, and name the others."""
        totals = frame.groupby("repo")[list(self.parts)].sum().sum(axis=1).sort_values(ascending=False)
        drawn = sorted(totals.index[:MOST])
        columns = st.columns(min(_PER_ROW, len(drawn)))
        for place, repo in enumerate(drawn):
            rows = frame[frame["repo"] == repo].melt([self.time], list(self.parts), "part", "value").dropna(subset=["value"])
            if len(rows):
                with columns[place % len(columns)]:
                    _one(view, self, repo, rows.assign(part=rows["part"].map(_worded)))
        if rest := [text.literal(name) for name in totals.index[MOST:]]:
            said = f"Not drawn, but in the card: {text.listed(rest, 5)}. Select them in the filter to see them here."
            st.markdown(f":small[{said}]")


def _worded(part: str) -> str:
    return part.replace("_", " ")


@st.fragment
def _one(view: View, of: Multiples, repo: str, rows: pd.DataFrame) -> None:
    make = charts.stacked if of.are_parts_of_one else charts.lines
    picked = charts.show(
        make(
            rows,
            of.time,
            "part",
            "value",
            repo,
            unit=of.unit,
            grain=of.grain,
            looks=looks.shades(view.looks[repo], [_worded(part) for part in of.parts], dark=charts.is_dark()),
            breaks=card.breaks(view, of.sources, [repo], rows[of.time]),
            over=view.over,
            per_row=_PER_ROW,
        ),
        alt=f"{of.title} of one repository. The card below has the rows.",
        key=f"chart-{card.slug(of.title)}-{card.slug(repo)}",
    )
    if picked is not None:
        last = (pd.Timestamp(picked) + charts.STEPS[of.grain] - pd.DateOffset(days=1)).date()
        st.markdown(f":small[[{picked} to {last} on GitHub]({of.listed(repo, picked, last)})]")
