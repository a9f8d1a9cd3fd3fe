"""What is behind a point: the rows in gold, and the upstream's own list of the commits, issues or pull requests counted.

Gold keeps counts, not millions of events. GitHub lists the events of a window by itself, so a point leads there; what has
changed since the publication, such as a deleted issue, differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

import pandas as pd
import streamlit as st

from dashboard import card, filters, queries, text
from dashboard.session import View
from lakepulse.figures import Meaning, worded

query = queries.beside(__file__)

_OPENED = ("Issues opened", "issues?q=is%3Aissue+created%3A{first}..{last}")
_CLOSED = ("Issues closed", "issues?q=is%3Aissue+closed%3A{first}..{last}")
_COMMITS = ("Commits", "commits/HEAD?since={first}&until={last}")
_LISTS: dict[str, Sequence[tuple[str, str]]] = {
    "answered_7d_share_12w": (_OPENED,),
    "first_response_median_hours_12w": (_OPENED,),
    "closed_per_opened_12w": (_OPENED, _CLOSED),
    "open_issues": (("Issues open today", "issues?q=is%3Aissue+is%3Aopen"),),
    "merge_median_days_12w": (("Pull requests merged", "pulls?q=is%3Apr+merged%3A{first}..{last}"),),
    "acceptance_12w": (("Pull requests ended", "pulls?q=is%3Apr+closed%3A{first}..{last}"),),
    "commits_28d": (_COMMITS,),
    "active_people_28d": (_COMMITS,),
    "absence_factor_365d": (_COMMITS,),
    "stars": (("People who gave a star", "stargazers"),),
}
"""Figure -> where GitHub lists the events in its window, below the repository's address."""
_LAG = {"answered_7d_share_12w": 7, "first_response_median_hours_12w": 7}
"""Days at the end of a figure's window whose events do not count yet."""
UNANSWERED = {"answered_7d_share_12w", "first_response_median_hours_12w"}
"""Figures of issues that gold lists by name as long as they have no answer."""


def on_github(repo: str, path: str) -> str:
    """The address of a page of a repository."""
    return f"https://github.com/{quote(repo)}/{path}"


def commits(repo: str, first: date, last: date) -> str:
    """Where GitHub lists the commits of a repository's default branch between two days, by committer date."""
    return on_github(repo, f"commits/HEAD?since={first}&until={last}")


def pulls(repo: str, first: date, last: date) -> str:
    """Where GitHub lists the pull requests opened between two days."""
    return on_github(repo, f"pulls?q=is%3Apr+created%3A{first}..{last}")


def issues(repo: str, first: date, last: date) -> str:
    """Where GitHub lists the issues opened between two days."""
    return on_github(repo, f"issues?q=is%3Aissue+created%3A{first}..{last}")


def labelled(repo: str, label: str) -> str:
    """Where GitHub lists the issues with a label."""
    return on_github(repo, f"issues?q=is%3Aissue+label%3A{quote_plus(chr(34) + label + chr(34))}")


def window(meaning: Meaning, week: date, as_of: date) -> tuple[date, date]:
    """The first and last day whose events a figure's row of a week counts."""
    ends = min(week + timedelta(days=6), as_of)
    return ends - timedelta(days=meaning.window_days - 1), ends - timedelta(days=_LAG.get(meaning.figure, 0))


def panel(meaning: Meaning, things: str) -> card.Behind:
    """Shows the rows of a figure's week, and links to the lists that they count."""

    def show(view: View, frame: pd.DataFrame, picked: date) -> None:
        rows = frame[frame["week"] == pd.Timestamp(picked)]
        if not len(rows):
            return
        first, last = window(meaning, picked, view.publication.as_of)
        said = [
            f"**{text.literal(row['scope'])}** "
            + ("–" if pd.isna(row["value"]) else text.literal(worded(row["value"], meaning.unit)))
            + f" ({row['n']:,} {things}{'; ' + text.literal(row['reason']) if isinstance(row['reason'], str) else ''})"
            for row in rows.to_dict("records")
        ]
        st.markdown(f"**Behind the week of {picked}**, {first} to {last} (UTC): " + ", ".join(said) + ".")
        repos = _repos(view, rows)
        _lists(
            [
                {"Repository": repo, "List": name, "Open": on_github(repo, path.format(first=first, last=last))}
                for repo in repos
                for name, path in _LISTS.get(meaning.figure, ())
            ]
        )
        if meaning.figure in UNANSWERED:
            waiting = view.frame(query("waiting"), {"repos": tuple(repos), "opened_from": first, "opened_to": last})
            if len(waiting):
                st.markdown(f"Of these, {text.count(len(waiting), 'open issue')} still without an answer:")
                issue_table(waiting, "Issues of the window that still have no answer")

    return show


def _repos(view: View, rows: pd.DataFrame) -> list[str]:
    """The repositories whose events the rows count."""
    found: list[str] = []
    for row in rows.to_dict("records"):
        if row["scope_kind"] == "repo":
            found.append(row["scope"])
        elif row["scope_kind"] == "project":
            found += filters.names(view.members, "repo", [row["scope"]])
    return list(dict.fromkeys(found))


def _lists(rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        st.dataframe(
            list(rows),
            hide_index=True,
            column_config={"Open": st.column_config.LinkColumn("Open", display_text="on GitHub")},
            alt="Links to GitHub's lists of what this point counts",
        )


def links(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """A heading line and links to upstream's lists; each row has a column `Open` with the address."""
    st.markdown(title)
    _lists(rows)


def issue_table(frame: pd.DataFrame, alt: str) -> None:
    """Issues or pull requests with their link, the oldest first as they come."""
    st.dataframe(
        frame.assign(url=frame["url"].map(text.web_link)),
        hide_index=True,
        placeholder="–",
        column_order=["url", "repo", "title", "age_days", "author", "comments", "is_bot", "created_at"],
        column_config={
            "url": st.column_config.LinkColumn("Number", display_text=r"/(\d+)$", width="small"),
            "repo": "Repository",
            "title": st.column_config.TextColumn("Title", width="large"),
            "age_days": st.column_config.NumberColumn("Age (days)", format="%.0f"),
            "author": "Author",
            "comments": "Comments",
            "is_bot": st.column_config.CheckboxColumn("Bot"),
            "created_at": st.column_config.DatetimeColumn("Opened (UTC)", format="YYYY-MM-DD HH:mm"),
        },
        alt=alt,
    )
