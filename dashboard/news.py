"""What changed this week, in sentences made from the data."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from operator import itemgetter

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
        "Based on releases, unusual downloads, backlogs that turned in the last complete week, and first commits. "
        f"{card.definitions()['fct_download_anomalies'].says}"
    )


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def sentences(view: View) -> list[str]:
    """Markdown sentences, the most important kind first."""
    as_of = view.publication.as_of
    week_ago = as_of - timedelta(days=6)
    last_week = as_of - timedelta(days=as_of.weekday() + 7)
    project_of = {name: project for project, _, name in view.members}

    def named(scope: str, path: str, anchor: str) -> str:
        return f"[**{text.literal(scope)}**]({view.link(path, project_of[scope], anchor=anchor)})"

    found = []
    for row in view.arrow(query("releases"), {"week_ago": week_ago}).to_pylist():
        kind = "a pre-release" if row["is_prerelease"] else "a release"
        gap = row["days_since_previous"]
        after = f", {text.count(round(gap), 'day')} after the previous final release" if gap is not None else ""
        found.append(
            f"**{text.literal(row['project'])}** published {kind} of {named(row['scope'], '', 'releases')}: "
            f"**{text.literal(row['name'])}** on {row['released_at']:%Y-%m-%d}{after}."
        )
    for row in view.arrow(query("downloads"), {"week_ago": week_ago}).to_pylist():
        unusual = "unusually many" if row["downloads"] > row["median_28d"] else "unusually few"
        across = f" (counted differently before the known break of {row['broken_on']})" if row["broken_on"] else ""
        found.append(
            f"{named(row['package'], 'pypi', 'unusual-days')} was downloaded {row['downloads']:,} times on {row['date']}, "
            f"{unusual}: the median of the 28 days before is {row['median_28d']:,.0f}{across}."
        )
    for row in view.arrow(
        query("backlogs"), {"last_week": last_week, "week_before": last_week - timedelta(days=7)}
    ).to_pylist():
        turned = "started to grow" if row["backlog_index"] < 1 else "started to shrink"
        still_open = "" if row["open_at_end"] is None else f"; {text.count(row['open_at_end'], 'issue')} open"
        found.append(
            f"The backlog of {named(row['repo'], 'issues', 'backlog')} {turned} in the week of {last_week}: "
            f"{row['backlog_index']:.2f} issues closed per issue opened over 8 weeks, {row['index_before']:.2f} a week "
            f"earlier{still_open}."
        )
    # Old publications lack the table.
    new = view.arrow(query("newcomers"), {"week_ago": week_ago}).to_pylist() if view.has("fct_first_commits") else []
    for repo, rows in groupby(new, key=itemgetter("repo")):
        names = [text.literal(row["author"]) for row in rows]
        found.append(
            f"{text.count(len(names), 'person', 'people')} made their first commit to "
            f"{named(repo, 'commits', 'first-commits')}: {text.listed(names, _MOST_NAMES)}."
        )
    return found
