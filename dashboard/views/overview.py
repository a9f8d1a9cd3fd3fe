"""Overview: what changed, each project in words, and their figures side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import briefs, card, comparison, filters, news, tiles
from dashboard.briefs import Briefed
from dashboard.page import Page
from dashboard.session import View
from lakepulse.brief import Brief

MOST_CARDS = 4
"""More projects have a line each."""
MOST_LINES = 50
"""More are easier to find by the filter."""

SORTS: dict[str, tuple[str, str | None, bool]] = {
    "concerns": ("Most concerns first", None, True),
    "name": ("By name", None, False),
    "commits": ("Most commits first", "commits_365d", True),
    "people": ("Fewest people first", "absence_factor_365d", False),
    "answers": ("Fewest answers first", "answered_7d_share_12w", False),
    "downloads": ("Most downloads first", "downloads_per_day_28d", True),
    "growth": ("Most growth first", "downloads_change_year", True),
}
"""Orders of many projects: title, figure, and whether the largest is first."""


def in_words(view: View, found: Briefed) -> None:
    """The selected projects in words: up to four side by side, more in a table."""
    link = partial(briefs.link, view, found)
    if len(found.briefs) <= MOST_CARDS:
        tiles.cards(found.briefs, link)
        return
    order: str = filters.of_page(
        st.selectbox,
        "Order",
        "Order",
        list(SORTS),
        key="order",
        title=lambda name: SORTS[name][0],
        width=260,
        label_visibility="collapsed",
    )
    ordered = sorted(found.briefs, key=_place(found, order))
    tiles.table(ordered[:MOST_LINES], link)
    left = len(ordered) - MOST_LINES
    if left > 0:
        st.caption(f"The first {MOST_LINES} of {len(ordered):,} in this order; choose others on the left.")


def _place(found: Briefed, order: str) -> Callable[[Brief], tuple[bool, float, str]]:
    """A sort key: what is not known comes last, ties are in the order of names."""
    _, name, is_largest_first = SORTS[order]

    def value(brief: Brief) -> float | None:
        if order == "concerns":
            return float(brief.concerns)
        figure = found.figures[brief.project].get(name or "")
        return None if figure is None else figure.value

    def place(brief: Brief) -> tuple[bool, float, str]:
        known = value(brief)
        size = 0.0 if known is None or order == "name" else -known if is_largest_first else known
        return known is None and order != "name", size, brief.project.casefold()

    return place


def show(view: View) -> None:
    tiles.style()
    st.title("Overview", anchor=False)
    found: Briefed | None = None
    with card.guarded("Projects"):
        found = briefs.of(view)
    st.header("What changed this week", anchor=False)
    with card.guarded("What changed this week"):
        news.show(view, found)
    if found is not None:
        with card.guarded("Projects"):
            in_words(view, found)
        comparison.show(view, "Side by side", found)


PAGE = Page(title="Overview", icon=":material/monitor_heart:", order=10, show=show)
