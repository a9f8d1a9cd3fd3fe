"""What changed this week, in sentences made from the data."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from operator import itemgetter

import streamlit as st

from dashboard import card, text
from dashboard.backends import UnavailableError
from dashboard.session import View

RELEASES = """
SELECT project, scope, name, released_at, is_prerelease, days_since_previous
FROM gold.fct_releases
WHERE project IN :projects AND (source = 'pypi' OR scope IN :repos) AND NOT is_yanked AND released_at >= :week_ago
ORDER BY released_at DESC, scope, name
"""
DOWNLOADS = f"""
SELECT
    days.package, days.date, days.downloads, days.median_28d,
    {card.BROKEN_IN_28_DAYS} AS broken_on
FROM gold.fct_download_anomalies AS days
WHERE days.package IN :packages AND days.category = 'without_mirrors' AND days.is_anomaly AND days.date >= :week_ago
ORDER BY days.date DESC, days.package
"""  # noqa: S608 - every part is written here and in card.py
# A backlog turns when it grew at the end of the last whole week and shrank a week earlier, or the other way round.
BACKLOG = """
SELECT this.repo, this.backlog_index, before.backlog_index AS index_before, this.open_at_end
FROM gold.fct_issue_backlog AS this
JOIN gold.fct_issue_backlog AS before ON this.repo = before.repo
WHERE this.repo IN :repos AND this.week = :last_week AND before.week = :week_before
    AND ((this.backlog_index < 1 AND before.backlog_index >= 1) OR (this.backlog_index > 1 AND before.backlog_index <= 1))
ORDER BY this.repo
"""
NEWCOMERS = """
SELECT repo, author
FROM gold.fct_first_commits
WHERE repo IN :repos AND first_commit_date >= :week_ago
ORDER BY repo, first_commit_date, author
"""

_MOST = 12
_MOST_NAMES = 8


def show(view: View) -> None:
    """The heading and the sentences, or that nothing stands out."""
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
        "From releases, unusual downloads, backlogs that turned in the last whole week, and first commits. "
        f"Unusual: {card.definitions()['fct_download_anomalies'].says}"
    )


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def sentences(view: View) -> list[str]:
    """Markdown sentences, the most telling kind first."""
    as_of = view.publication.as_of
    week_ago = as_of - timedelta(days=6)
    last_week = as_of - timedelta(days=as_of.weekday() + 7)
    project_of = {name: project for project, _, name in view.members}

    def named(scope: str, path: str, anchor: str) -> str:
        return f"[**{text.literal(scope)}**]({view.link(path, project_of[scope], anchor=anchor)})"

    found = []
    for row in view.arrow(RELEASES, {"week_ago": week_ago}).to_pylist():
        kind = "a pre-release" if row["is_prerelease"] else "a release"
        gap = row["days_since_previous"]
        after = f", {text.count(round(gap), 'day')} after the final release before it" if gap is not None else ""
        found.append(
            f"**{text.literal(row['project'])}** published {kind} of {named(row['scope'], '', 'releases')}: "
            f"**{text.literal(row['name'])}** on {row['released_at']:%Y-%m-%d}{after}."
        )
    for row in view.arrow(DOWNLOADS, {"week_ago": week_ago}).to_pylist():
        more = "more" if row["downloads"] > row["median_28d"] else "fewer"
        across = f", counted otherwise before the known break of {row['broken_on']}" if row["broken_on"] else ""
        found.append(
            f"{named(row['package'], 'pypi', 'unusual-days')} was downloaded {row['downloads']:,} times on {row['date']}: "
            f"unusually {more} than the {row['median_28d']:,.0f} of a usual day before{across}."
        )
    for row in view.arrow(BACKLOG, {"last_week": last_week, "week_before": last_week - timedelta(days=7)}).to_pylist():
        turned = "began to grow" if row["backlog_index"] < 1 else "began to shrink"
        still_open = "" if row["open_at_end"] is None else f"; {text.count(row['open_at_end'], 'issue')} open"
        found.append(
            f"The backlog of {named(row['repo'], 'issues', 'backlog')} {turned} in the week from {last_week}: "
            f"{row['backlog_index']:.2f} closed per opened in 8 weeks, {row['index_before']:.2f} a week earlier{still_open}."
        )
    # A publication from before the table was made has none.
    new = view.arrow(NEWCOMERS, {"week_ago": week_ago}).to_pylist() if view.has("fct_first_commits") else []
    for repo, rows in groupby(new, key=itemgetter("repo")):
        names = [text.literal(row["author"]) for row in rows]
        found.append(
            f"{text.count(len(names), 'person', 'people')} wrote a first commit to "
            f"{named(repo, 'commits', 'first-commits')}: {text.listed(names, _MOST_NAMES)}."
        )
    return found
