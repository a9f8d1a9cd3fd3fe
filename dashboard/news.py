"""What changed this week, in sentences made from the data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import streamlit as st

from dashboard import card, queries, text
from dashboard.backends import UnavailableError
from dashboard.session import View

query = queries.beside(__file__)

_MOST = 12
_MOST_NAMES = 8


def show(view: View) -> None:
    """Show the heading and the sentences, or say that nothing stands out."""
    st.header("What changed this week", anchor=False)
    if not view.has("fct_news"):
        st.info("An earlier version made this publication, without news.", icon=":material/inbox:")
        return
    try:
        found = sentences(view)
    except UnavailableError as error:
        st.error(f"This cannot be shown. {text.literal(error)}", icon=":material/error:")
        return
    if found:
        st.markdown(_bullets(found[:_MOST]))
        if len(found) > _MOST:
            with st.expander(f"{len(found) - _MOST} more"):
                st.markdown(_bullets(found[_MOST:]))
    else:
        st.info("Nothing stands out in the seven days up to the as-of date.", icon=":material/inbox:")
    st.caption(
        "Based on final releases, unusual downloads, backlogs that turned in the last complete week, and first commits. "
        f"{card.definitions()['fct_download_anomalies'].says}"
    )


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def sentences(view: View) -> list[str]:
    """Markdown sentences, the most important kind first."""
    week_ago = view.publication.as_of - timedelta(days=6)
    rows = view.arrow(query("news"), {"week_ago": week_ago}).to_pylist()
    return [
        *(_release(view, row) for row in rows if row["kind"] == "release"),
        *(_unusual(view, row) for row in rows if row["kind"] == "unusual_downloads"),
        *(_turned(view, row) for row in rows if row["kind"] in {"backlog_grows", "backlog_shrinks"}),
        *_newcomers(view, [row for row in rows if row["kind"] == "newcomer"]),
    ]


def _named(view: View, row: dict[str, Any], path: str, anchor: str) -> str:
    return f"[**{text.literal(row['scope'])}**]({view.link(path, row['project'], anchor=anchor)})"


def _release(view: View, row: dict[str, Any]) -> str:
    return f"{_named(view, row, '', 'releases')} released **{text.literal(row['subject'])}** on {row['happened_on']}."


def _unusual(view: View, row: dict[str, Any]) -> str:
    many = "unusually many" if row["value"] > row["usual"] else "unusually few"
    return (
        f"{_named(view, row, 'pypi', 'unusual-days')} was downloaded {row['value']:,.0f} times on {row['happened_on']}, "
        f"{many}: the same weekday usually has about {row['usual']:,.0f}."
    )


def _turned(view: View, row: dict[str, Any]) -> str:
    turned = "started to grow" if row["kind"] == "backlog_grows" else "started to shrink"
    return (
        f"The backlog of {_named(view, row, 'issues', 'backlog')} {turned} in the week that ended on {row['happened_on']}: "
        f"{row['value']:.2f} issues closed per issue opened over 8 weeks, {row['usual']:.2f} a week earlier."
    )


def _newcomers(view: View, rows: list[dict[str, Any]]) -> Iterator[str]:
    for _, found in groupby(sorted(rows, key=itemgetter("project", "subject")), key=itemgetter("project")):
        newcomers = list(found)
        names = [text.literal(row["subject"]) for row in newcomers]
        yield (
            f"{text.count(len(names), 'person', 'people')} made their first commit to "
            f"{_named(view, newcomers[0], 'commits', 'first-commits')}: {text.listed(names, _MOST_NAMES)}."
        )
