"""People: who carries each project now, and which bots take part."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import card, filters, queries, text
from dashboard.backends import Values
from dashboard.page import Page
from dashboard.session import View

query = queries.beside(__file__)

WINDOWS = {90: "the last 90 days", 365: "the last year", 0: "all time"}
"""The windows of fct_people in days (0: all time), and what they are called."""
MOST_TABLES = 4
"""More projects or repositories share one table."""
LEAST_PEOPLE, MOST_PEOPLE = 8, 20  # a longer list is better read as a file
_A_WEEK = 7
_COLUMNS = {
    "scope": st.column_config.TextColumn("Project or repository", pinned=True),
    "person": st.column_config.TextColumn("Person", pinned=True),
    "carries": st.column_config.CheckboxColumn("Behind half", help="One of the fewest people who made half of the commits."),
    "status": st.column_config.TextColumn(
        "Status",
        help="New: the first commit is in the window. Returning: it is older. "
        "Gone: active in the previous window, not in this one.",
    ),
    "commits": st.column_config.NumberColumn("Commits", format="localized"),
    "percent": st.column_config.ProgressColumn("Share", format="%.0f %%", min_value=0, max_value=100),
    "first_commit_at": st.column_config.DateColumn("First commit (UTC)", format="YYYY-MM-DD"),
    "last_commit_at": st.column_config.DateColumn("Last commit (UTC)", format="YYYY-MM-DD"),
    "co_authored": st.column_config.NumberColumn("Co-authored", help="Commits by others that name the person as co-author."),
}


def window_of(view: View) -> int:
    """The smallest window that holds the selected period."""
    days = (view.publication.as_of - view.selection.first).days + 1
    # A period of a year begins with a week.
    return next((window for window in (90, 365) if days < window + _A_WEEK), 0)


def people(_: View, frame: pd.DataFrame, *, window: int) -> None:
    shown = frame.assign(percent=frame["share"] * 100)
    scopes = list(dict.fromkeys(frame["scope"]))
    for scope in scopes if len(scopes) <= MOST_TABLES else []:
        rows = shown[shown["scope"] == scope]
        st.markdown(_summary(scope, rows, window))
        most = min(max(int(rows["carries"].sum()), LEAST_PEOPLE), MOST_PEOPLE)
        _table(rows.head(most).drop(columns="scope"), f"People of {scope}")
        if len(rows) > most:
            st.caption(f"The first {most} of {len(rows):,}; download all from the card.")
    if len(scopes) > MOST_TABLES:
        _table(shown[shown["carries"] | (shown["status"] == "new")], "People behind half of the commits, and new ones")
        st.caption("People behind half of the commits, and new people; the card lists everyone.")


def _summary(scope: str, rows: pd.DataFrame, window: int) -> str:
    """Who carries a scope, in a sentence."""
    carriers = rows[rows["carries"]]
    numbers = rows["status"].value_counts()
    parts = [f"{numbers[status]} {status}" for status in ("new", "returning", "gone") if status in numbers]
    if carriers.empty:
        return f"**{text.literal(scope)}**: no commits by people in {WINDOWS[window]}; {', '.join(parts)}."
    names = text.listed([text.literal(name) for name in carriers["person"]], 5)
    who = text.count(len(carriers), "person", "people")
    commits = text.count(int(rows["commits"].sum()), "commit")
    return f"**{text.literal(scope)}**: {who} made half of {commits} in {WINDOWS[window]}: {names}. {', '.join(parts)}."


def _table(rows: pd.DataFrame, alt: str) -> None:
    st.dataframe(
        rows, hide_index=True, placeholder="–", column_config=_COLUMNS, column_order=list(_COLUMNS), height="content", alt=alt
    )


def bots(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config=_COLUMNS | {"person": "Bot or coding agent"},
        alt="Commits by bots and coding agents",
    )


def values(view: View, window: int) -> Values:
    """The values of the queries: projects, or repositories where the reader chose some."""
    chosen = view.selection
    as_of = view.publication.as_of
    has_chosen = len(chosen.repos) < len(filters.names(view.members, "repo", chosen.projects))
    since = as_of - timedelta(days=(window or 365) - 1)
    return {
        "scope_kind": "repo" if has_chosen else "project",
        "scopes": chosen.repos if has_chosen else chosen.projects,
        "window": window,
        "since": since,
        "gone_from": since - timedelta(days=window or 365),
    }


def show(view: View) -> None:
    st.title("People", anchor=False)
    window = window_of(view)
    st.caption(
        f"Commits by author date in {WINDOWS[window]}, up to {view.publication.as_of}. People are counted over 90 days, a year "
        "and all time; the page uses the shortest of these that covers the period."
    )
    extra = values(view, window)
    card.figure(
        view, "Who carries it", "fct_people", query("people"), partial(people, window=window), extra=extra,
        keys=("scope", "person"), empty="No known commits by people.",
    )  # fmt: skip
    card.figure(
        view, "Bots and coding agents", "fct_people", query("bots"), bots, extra=extra, keys=("scope", "person"),
        empty="No commits by bots.",
    )  # fmt: skip


PAGE = Page(title="People", icon=":material/group:", order=15, show=show)
