"""Project: everything about one project on one address."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import briefs, card, charts, comparison, filters, metrics, news, queries, text, tiles
from dashboard.briefs import Briefed
from dashboard.page import Page
from dashboard.session import View
from lakepulse.brief import QUESTIONS, WINDOW

query = queries.beside(__file__)

NO_SNAPSHOT = (
    "This publication has no snapshots of these repositories: GitHub only reports current figures, so a run for an earlier "
    "day takes none."
)


def trends(view: View, frame: pd.DataFrame, *, question: str, found: Briefed) -> None:
    """One of the question's figures over time: of the project, and of its repositories or packages if it has several."""
    [project] = view.named
    names = [name for name, meaning in found.known.items() if meaning.question == question and name in found.figures[project]]
    name: str = filters.of_page(
        st.selectbox, "Figure", "Figure", names, key=question, title=lambda figure: found.known[figure].title,
        index=names.index(briefs.first(found, project, question)), width=340,
    )  # fmt: skip
    meaning = found.known[name]
    rows = frame[frame["figure"] == name]
    if rows["value"].isna().all():
        st.info(f"No value in this period: {text.sentence(rows['reason'].iloc[-1])}", icon=":material/inbox:")
        return
    members = rows[rows["scope_kind"] != "project"]["scope"].nunique()
    rows = rows if members > 1 else rows[rows["scope_kind"] == "project"]
    value_format = metrics.format_of(meaning.unit)
    touched = card.breaks(view, meaning.sources, view.selection.scopes, rows["week"])
    charts.show(
        charts.lines(
            rows.dropna(subset=["value"]), "week", "scope", "value", meaning.title, grain="week", breaks=touched,
            over=view.over, looks=view.looks, value_format=value_format, unit=meaning.unit.capitalize(), has_newest=True,
        ),
        alt=f"{meaning.title} of the project over time. The card below has the rows.",
        said=(meaning.definition,),
    )  # fmt: skip


def carriers(view: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame.assign(percent=frame["share"] * 100).drop(columns=["share", "rank"]),
        hide_index=True,
        placeholder="–",
        column_config={
            "person": st.column_config.TextColumn("Person", pinned=True),
            "commits": st.column_config.NumberColumn("Commits in a year", format="localized"),
            "percent": st.column_config.ProgressColumn("Share", format="%.0f %%", min_value=0, max_value=100),
            "first_commit_at": st.column_config.DateColumn("First commit (UTC)", format="YYYY-MM-DD"),
            "last_commit_at": st.column_config.DateColumn("Last commit (UTC)", format="YYYY-MM-DD"),
            "is_new": st.column_config.CheckboxColumn("New this year"),
        },
        column_order=["person", "commits", "percent", "first_commit_at", "last_commit_at", "is_new"],
        height="content",
        alt="The people with the most commits in a year",
    )
    st.markdown(f":small[[Everyone, including bots]({view.link('people', view.selection.projects[0])})]")


def waiting(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame.assign(url=frame["url"].map(text.web_link)),
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": "Repository",
            "number": st.column_config.NumberColumn("Number", format="%d"),
            "title": st.column_config.TextColumn("Title", width="large"),
            "author": "Author",
            "created_at": st.column_config.DateColumn("Opened (UTC)", format="YYYY-MM-DD"),
            "age_days": st.column_config.NumberColumn("Age (days)", format="%.0f"),
            "comments": "Comments",
            "url": st.column_config.LinkColumn("Link", display_text="open"),
        },
        height="content",
        alt="The ten issues that have waited longest for an answer",
    )


def repos(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "repo": st.column_config.TextColumn("Repository", pinned=True),
            "snapshot_date": st.column_config.DateColumn("Fetched on", format="YYYY-MM-DD"),
            "stargazers_count": st.column_config.NumberColumn("Stars", format="localized"),
            "forks_count": st.column_config.NumberColumn("Forks", format="localized"),
            "subscribers_count": st.column_config.NumberColumn("Subscribers", format="localized"),
            "open_issues_count": st.column_config.NumberColumn("Open issues and PRs", format="localized"),
            "watchers_count": st.column_config.NumberColumn("Watchers", format="localized"),
            "network_count": st.column_config.NumberColumn("Network", format="localized"),
            "size_kb": st.column_config.NumberColumn("Size (kB)", format="localized"),
            "created_at": st.column_config.DatetimeColumn("Created (UTC)", format="YYYY-MM-DD"),
            "pushed_at": st.column_config.DatetimeColumn("Pushed (UTC)", format="YYYY-MM-DD"),
            "updated_at": st.column_config.DatetimeColumn("Updated (UTC)", format="YYYY-MM-DD"),
        },
        alt="GitHub's latest figures of each repository",
    )


def interest(view: View, frame: pd.DataFrame) -> None:
    kinds = ["stars", "forks", "subscribers"]
    what: str = filters.of_page(st.radio, "Figure", "Figure", kinds, key="interest", horizontal=True)
    grain = view.selection.grain
    if frame["date"].nunique() == 1:
        when = f"{frame['date'].iloc[0]:%Y-%m-%d}"
        st.info(
            f"Only one snapshot so far ({when if grain == 'day' else f'{grain} of {when}'}), and a line needs two. Runs on "
            "other days will add more; the table above has the figures.",
            icon=":material/inbox:",
        )
        return
    kept, left = charts.top_series(frame, "repo", what)
    found = card.breaks(view, ["github_repo"], view.selection.repos, kept["date"])
    charts.show(
        charts.lines(
            kept, "date", "repo", what, f"{what.capitalize()} of each repository", unit=what.capitalize(), grain=grain,
            looks=view.looks, breaks=found, zero=False, over=view.over,
        ),
        alt=f"{what.capitalize()} of each repository over time. The card below has the rows.",
        said=(
            charts.summed_up(grain, "the last snapshot"),
            charts.left_out(left, f"repositories with the most {what}"),
        ),
    )  # fmt: skip


def releases(_: View, frame: pd.DataFrame) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "project": st.column_config.TextColumn("Project", pinned=True),
            "source": "Published on",
            "scope": "Package or repository",
            "name": "Release",
            "released_at": st.column_config.DatetimeColumn("Released (UTC)", format="YYYY-MM-DD"),
            "is_prerelease": st.column_config.CheckboxColumn("Pre-release"),
            "is_yanked": st.column_config.CheckboxColumn("Yanked"),
            "days_since_previous": st.column_config.NumberColumn("Days since the previous", format="%.0f"),
        },
        alt="Releases in the period, newest first",
    )


def show(view: View) -> None:
    if not view.named:
        st.title("Project", anchor=False)
        st.markdown("Choose one project to see everything about it:")
        links = [f"- [{text.literal(name)}]({view.link('project', name)})" for name in view.selection.projects]
        st.markdown("\n".join(links))
        return
    [name] = view.named
    st.title(text.literal(name), anchor=False)
    # A publication without figures still has the rest.
    with card.guarded(name):
        found = briefs.of(view)
        tiles.style(dense=False)
        tiles.cards(found.briefs, partial(briefs.link, view, found), named=False)
        st.header("What changed in four weeks", anchor=False)
        news.show(view, found, days=28)
        for question in briefs.FIRST:
            card.figure(
                view, QUESTIONS[question], "fct_figures", query("figures"), partial(trends, question=question, found=found),
                extra={"question": question}, keys=("scope_kind", "scope", "figure", "week"), step="week",
            )  # fmt: skip
            if question == "carried":
                card.figure(
                    view, "Most commits in a year", "fct_people", query("carriers"), carriers, extra={"window": WINDOW},
                    keys=("person",), empty="No commits by people in a year.",
                )  # fmt: skip
            if question == "answered":
                card.figure(
                    view, "Longest without an answer", "fct_unanswered_issues", query("waiting"), waiting,
                    keys=("repo", "number"), empty="Every open issue has an answer.",
                )  # fmt: skip
        comparison.show(view, "All figures", found)
    card.figure(view, "Repositories", "fct_all_time_base_repo_stats", query("repositories"), repos, empty=NO_SNAPSHOT)
    card.figure(
        view,
        "Stars and forks",
        "fct_all_time_base_repo_stats",
        query("interest"),
        interest,
        drawn=query("interest_drawn"),
        keys=("repo", "date"),
        empty=f"No snapshots in this period. {NO_SNAPSHOT}",
    )
    card.figure(
        view,
        "Releases",
        "fct_releases",
        query("releases"),
        releases,
        keys=("source", "scope", "name"),
        empty="No releases in this period. Try a longer one.",
    )


PAGE = Page(title="Project", icon=":material/folder_open:", order=12, show=show)
