"""The first page, the project page and People: what they say equals gold, and leads to where it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from dashboard import briefs, card
from dashboard.backends import Snapshot
from dashboard.views.overview import MOST_CARDS, SORTS
from lakepulse.brief import QUESTIONS
from lakepulse.settings import Settings
from tests.dashboard import sample
from tests.dashboard.conftest import APP, App, Sql, drawn, pictures, read_gold, switch
from tests.dashboard.reading import briefs_of, compared, footnotes, lines_of, news_of
from tests.dashboard.test_pages import NEW_TABLES, PATHS, open_app, table_with, words

WORDED = {
    "stars": ("Stars", "{:,.0f}"),
    "open_issues": ("Open issues", "{:,.0f}"),
    "downloads_per_day_28d": ("Downloads per day", "{:,.0f} a day"),
    "absence_factor_365d": ("Absence factor", "{:,.0f}"),
    "commits_28d": ("Commits in 28 days", "{:,.0f}"),
    "answered_7d_share_12w": ("Answered within 7 days", "{:.0%}"),
}
"""Figure -> its title, and how its value is written."""


def question_of(link: str) -> tuple[str, dict[str, list[str]], str]:
    """The page, the parameters and the anchor of a link."""
    parts = urlsplit(link)
    return parts.path, parse_qs(parts.query), parts.fragment


def figure_of(link: str) -> str:
    """The title of the figure that a link to the project page draws."""
    _, query, anchor = question_of(link)
    [question] = [name for name, words_ in QUESTIONS.items() if card.slug(words_) == anchor]
    # What a project does not have is not drawn first, and what is drawn first is not in the address.
    usual = "stars" if (query["project"], question) == (["Apache Hudi"], "adopted") else briefs.FIRST[question]
    return query.get(question, [sample.FIGURES[usual].title])[0]


def test_the_comparison_equals_gold(app: App, newest: Sql, as_of: date) -> None:
    shown = compared(app())
    rows = newest(
        "SELECT scope, figure, value, status FROM fct_figures WHERE scope_kind = 'project' AND week = "
        "(SELECT max(week) FROM fct_figures)"
    )
    titles: dict[str, str] = dict(newest("SELECT figure, title FROM dim_figures"))
    assert set(shown) == {(titles[figure], project) for project, figure, *_ in rows}
    checked = 0
    for project, figure, value, status in rows:
        cell = shown[titles[figure], project]
        if status == "none":
            assert cell.words.startswith("none")
        elif value is None:
            assert cell.words.startswith("unknown")
        elif figure in WORDED:
            title, form = WORDED[figure]
            [number] = cell.links
            assert number.replace(" %", "%") == form.format(value)
            assert question_of(cell.links[number])[1]["project"] == [project]
            assert title == figure_of(cell.links[number])
            checked += 1
    assert checked > 12


def test_trends_equal_gold(app: App, newest: Sql, as_of: date) -> None:
    shown = compared(app())
    for figure, title in (("commits_28d", "Commits in 28 days"), ("open_issues", "Open issues")):
        for span, days in (("month", 28), ("year", 364)):
            rows = newest(
                "SELECT now.scope, now.value, before.value FROM fct_figures AS now JOIN fct_figures AS before "
                "USING (scope_kind, scope, figure) WHERE figure = ? AND scope_kind = 'project' "
                "AND now.week = (SELECT max(week) FROM fct_figures) "
                # The newest week that has no day of the last 28 or 364.
                "AND before.week = (SELECT max(week) FROM fct_figures WHERE week + 6 <= ?)",
                figure, as_of - timedelta(days=days),
            )  # fmt: skip
            assert len(rows) == 3
            for project, now, before in rows:
                percent = round(abs(100 * (now / before - 1)))
                direction = "up" if now > before else "down"
                expected = f"{direction} {percent} % on last {span}" if percent else f"same as last {span}"
                assert expected in shown[title, project].words


def test_a_brief_says_the_numbers_of_gold_and_links_each(app: App, newest: Sql) -> None:
    cards = briefs_of(app())
    assert list(cards) == ["Apache Hudi", "Apache Iceberg", "Delta Lake"]
    values = {
        (scope, figure): (value, n)
        for scope, figure, value, n in newest(
            "SELECT scope, figure, value, n FROM fct_figures WHERE scope_kind = 'project' AND week = "
            "(SELECT max(week) FROM fct_figures)"
        )
    }
    sentences: dict[str, str] = dict(newest("SELECT project, sentence FROM fct_project_state"))
    for project, shown in cards.items():
        assert sentences[project] in shown.words
        for question in QUESTIONS.values():
            assert question in shown.words
        share, n = values[project, "answered_7d_share_12w"]
        for words_, figure in (
            (f"{values[project, 'commits_365d'][0]:,.0f} commits", "Commits in a year"),
            (f"{values[project, 'absence_factor_365d'][0]:,.0f} people", "Absence factor"),
            (f"{share:.0%}".replace("%", " %"), "Answered within 7 days"),
            (f"{values[project, 'stars'][0]:,.0f} stars", "Stars"),
        ):
            assert words_ in shown.words
            path, query, _ = question_of(shown.links[words_])
            assert path == "project"
            assert query["project"] == [project]
            assert figure_of(shown.links[words_]) == figure
        assert f"of {n:.0f} new issues answered within 7 days" in shown.words


def test_who_carries_a_project_is_named(app: App, newest: Sql) -> None:
    cards = briefs_of(app())
    for project, shown in cards.items():
        carriers = newest(
            "SELECT person FROM fct_people WHERE scope = ? AND window_days = 365 AND carries ORDER BY commits DESC, person",
            project,
        )
        assert len(carriers) > 2
        [named] = [name for name, link in shown.links.items() if question_of(link)[0] == "people"]
        assert named.endswith(f" and {len(carriers) - 2} more")
        assert question_of(shown.links[named])[1] == {"project": [project]}


def test_what_is_missing_is_marked_and_explained(app: App) -> None:
    page = app()
    shown, reasons = compared(page), footnotes(page)
    number = reasons.index("no snapshot of apache/iceberg-python") + 1
    assert f"◐ {number} " in shown["Stars", "Apache Iceberg"].words
    assert shown["Median time to first response", "Delta Lake"].words == (
        f"unknown {reasons.index('no answer to 4 of 5 issues') + 1}"
    )
    assert shown["Downloads per day", "Apache Hudi"].words == f"none {reasons.index('no package') + 1}"
    cards = briefs_of(page)
    assert "incomplete: no snapshot of apache/iceberg-python" in cards["Apache Iceberg"].words
    assert "median unknown (no answer to 4 of 5 issues)" in cards["Delta Lake"].words
    assert "No package" in cards["Apache Hudi"].words


def test_a_project_shows_its_state_and_flags(app: App) -> None:
    cards = briefs_of(app())
    assert "Active: 11 people made 40 commits in 28 days." in cards["Apache Hudi"].words
    assert "Quiet: no commit by a person in 90 days. Note: a repository archived." in cards["Delta Lake"].words


def test_links_keep_the_date_the_period_and_the_repositories(app: App, as_of: date) -> None:
    then = (as_of - timedelta(days=7)).isoformat()
    page = app(project=["Apache Iceberg", "Delta Lake"], repo=["apache/iceberg-python"], period="3 years", as_of=then)
    for project, repos in (("Apache Iceberg", ["apache/iceberg-python"]), ("Delta Lake", None)):
        for link in briefs_of(page)[project].links.values():
            query = question_of(link)[1]
            assert (query["project"], query["period"], query["as_of"]) == ([project], ["3 years"], [then])
            assert query.get("repo") == repos


def test_a_link_opens_the_chart_of_its_figure(app: App, newest: Sql, as_of: date) -> None:
    link = briefs_of(app())["Delta Lake"].links
    path, query, _ = question_of(next(address for name, address in link.items() if name.endswith(" stars")))
    page = app(path, **{key: values if key == "project" else values[0] for key, values in query.items()})
    assert page.selectbox(key="adopted").value == "stars"
    rows = drawn(page, "Stars")
    expected = newest(
        "SELECT value FROM fct_figures WHERE scope = 'Delta Lake' AND figure = 'stars' ORDER BY week DESC LIMIT 1"
    )
    assert rows.sort_values("at")["value"].iloc[-1] == expected[0][0]


def test_an_older_publication_shows_the_figures_of_its_week(app: App, older: Sql, as_of: date) -> None:
    cell = compared(app(as_of=(as_of - timedelta(days=7)).isoformat()))["Open issues", "Apache Hudi"]
    [(value,)] = older(
        "SELECT value FROM fct_figures WHERE scope = 'Apache Hudi' AND figure = 'open_issues' ORDER BY week DESC LIMIT 1"
    )
    assert cell.words.startswith(f"{value:,.0f} ")


def test_what_changed_names_what_gold_has_alerts_first(app: App, newest: Sql, as_of: date) -> None:
    found = news_of(app())
    headings = [line.words.partition(":")[0] for line in found]
    assert headings[:3] == ["Alerts", "Releases", "Unusual downloads"]
    said = "\n".join(line.words for line in found)
    rows = newest(
        "SELECT kind, project, scope, subject, happened_on, value FROM fct_news WHERE happened_on >= ?",
        as_of - timedelta(days=6),
    )
    assert {kind for kind, *_ in rows} >= {"release", "unusual_downloads", "newcomer"}
    for kind, project, scope, subject, day, value in rows:
        if kind == "release":
            assert f"{scope} {subject}, {day}" in said
        elif kind == "unusual_downloads":
            assert f"{scope}: {value:,.0f} on {day}, usually about" in said
        elif kind == "newcomer":
            number = sum((row[0], row[1]) == ("newcomer", project) for row in rows)
            assert f"{project}: {number} people, " in said
        else:
            assert f"{scope}: began to " in said
    # What happened before this week is in gold, but no news.
    [(before,)] = newest("SELECT count(*) FROM fct_news WHERE happened_on < ?", as_of - timedelta(days=6))
    assert before
    assert str(as_of - timedelta(days=7)) not in said


def test_alerts_are_those_of_the_publication_and_project_shown(app: App) -> None:
    [alert] = [line for line in news_of(app(project=["Apache Hudi"])) if line.words.startswith("Alerts:")]
    [link] = alert.links.values()
    assert question_of(link) == ("project", {"project": ["Apache Hudi"]}, "who-carries-it")
    assert figure_of(link) == "Absence factor"
    assert not [line for line in news_of(app(project=["Delta Lake"])) if line.words.startswith("Alerts:")]


def test_old_alerts_lead_to_the_figure_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    alerts = [{"project": "Delta Lake", "metric": "backlog_index", "message": "Delta Lake, backlog: 0.4 is below 0.5."}]
    monkeypatch.setattr(sample, "ALERTS", alerts)
    settings = Settings(data_dir=tmp_path, demo=True)
    sample.build(tmp_path)
    now = datetime.now(UTC)
    sample.publish(settings, sample.Sample(now.date(), revised=True), "old-alerts", now)
    sample.record_run(settings, "old-alerts", now.date(), now, alerts=alerts)
    [alert] = [line for line in news_of(open_app(monkeypatch, tmp_path)) if line.words.startswith("Alerts:")]
    assert question_of(alert.links["Delta Lake, backlog: 0.4 is below 0.5"])[1] == {
        "project": ["Delta Lake"], "answered": ["Issues closed per opened"],
    }  # fmt: skip


def test_a_week_without_news_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    class Calm(sample.Sample):
        def _news(self) -> Iterable[sample.Row]:
            return []

    sample.build(tmp_path, kind=Calm)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    page = AppTest.from_file(str(APP), default_timeout=60)
    page.query_params["project"] = ["Delta Lake"]
    assert [line.words for line in news_of(page.run())] == [
        "Nothing unusual: no alerts, and nothing stands out in the last 7 days."
    ]


def test_the_rules_of_a_backfill_were_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    settings = sample.build(tmp_path)
    now = datetime.now(UTC)
    then = now.date() - timedelta(days=30)
    sample.publish(settings, sample.Sample(then, revised=False), "backfill", now)
    sample.record_run(settings, "backfill", then, now, alerts=[])
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    page = AppTest.from_file(str(APP), default_timeout=60)
    page.query_params["as_of"] = then.isoformat()
    said = "\n".join(line.words for line in news_of(page.run()))
    assert "rules not checked, since a newer publication already existed" in said
    assert "no alerts" not in said


def test_the_card_of_the_comparison_names_the_table_of_its_query(app: App) -> None:
    page = app()
    page.session_state["card-side-by-side"] = True
    page.run()
    assert "table `gold.fct_figures`" in words(page)


def test_an_older_publication_without_figures_of_projects_shows_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    class Before(sample.Sample):
        def tables(self) -> dict[str, list[sample.Row]]:
            return {name: rows for name, rows in super().tables().items() if name not in NEW_TABLES}

    sample.build(tmp_path, kind=Before)
    page = open_app(monkeypatch, tmp_path)
    for path in PATHS:
        switch(page, path)
        assert not page.exception
        assert not page.error
    switch(page, "overview")
    said = [element.value.replace("\\", "") for element in page.info]
    assert any("was made by lakepulse 0.1.0, without the table dim_figures. Choose a later day" in value for value in said)
    assert any("without news" in line.words for line in news_of(page))
    page.multiselect(key="project").set_value(["Delta Lake"]).run()
    switch(page, "project")
    assert [header.value for header in page.header][-3:] == ["Repositories", "Stars and forks", "Releases"]
    assert pictures(page)


@pytest.mark.parametrize(
    ("table", "column", "path"),
    [
        ("fct_download_anomalies", "expected", "pypi"),
        ("fct_release_uplift", "version", "pypi"),
        ("fct_releases", "is_yanked", "project"),
        ("fct_people", "is_new", "people"),
        ("fct_figures", "reason", "overview"),
    ],
)
def test_a_column_that_an_older_publication_lacks_is_named(
    app: App, monkeypatch: pytest.MonkeyPatch, table: str, column: str, path: str
) -> None:
    """In one place for every query: whatever lacks it says so, the rest of the page is shown, and nothing is an error."""
    real = Snapshot._copy

    def copy(self: Snapshot, name: str) -> None:
        real(self, name)
        if name == table:
            self._database.execute(f'ALTER TABLE gold."{name}" DROP COLUMN "{column}"')

    monkeypatch.setattr(Snapshot, "_copy", copy)
    page = app(path, project=["Apache Iceberg"])
    assert not page.exception
    assert not page.error
    said = [element.value.replace("\\", "") for element in page.info]
    assert any(
        f"was made by lakepulse 0.1.0, without the column {column}. Choose a later day in As of" in value for value in said
    )


def test_the_browsers_tab_names_the_page_and_the_project(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    real = streamlit.set_page_config

    def configure(**given: Any) -> None:
        titles.append(given["page_title"])
        real(**given)

    monkeypatch.setattr(streamlit, "set_page_config", configure)
    app("people", project=["Delta Lake"])
    assert titles[-1] == "Delta Lake · People · lakepulse"
    app("people")
    assert titles[-1] == "People · lakepulse"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty projects, of which one is quiet and one has few answers."""
    folder = tmp_path_factory.mktemp("many")
    sample.build_large(folder, projects=30)
    return folder


@pytest.mark.usefixtures("clean_caches")
def test_thirty_projects_have_a_line_each_in_any_order(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_app(monkeypatch, many)
    assert not page.error
    assert not briefs_of(page)
    rows = lines_of(page)[1:]
    assert len(rows) == 30 > MOST_CARDS
    gold = read_gold(Settings(data_dir=many, demo=True), "large-1")
    known = gold.execute(
        "SELECT scope, value FROM fct_figures WHERE figure = 'commits_365d' AND scope_kind = 'project' AND week = "
        "(SELECT max(week) FROM fct_figures) ORDER BY value DESC, scope"
    ).fetchall()
    page.selectbox(key="order").set_value("commits").run()
    assert [row[0].words for row in lines_of(page)[1:]] == [scope for scope, _ in known]
    page.selectbox(key="order").set_value("name").run()
    assert [row[0].words for row in lines_of(page)[1:]] == sorted(scope for scope, _ in known)
    for name in SORTS:
        page.selectbox(key="order").set_value(name).run()
        assert not page.error
        assert len(lines_of(page)) == 31
    # More than six projects are rows of a table that the reader sorts.
    table = table_with(page, "Commits in a year")
    assert dict(zip(table["Project"], table["Commits in a year"], strict=True)) == dict(known)
    page.radio(key="question").set_value("adopted").run()
    assert "Stars" in table_with(page, "Downloads per day").columns


@pytest.mark.parametrize(("period", "window"), [("90 days", 90), ("1 year", 365), ("3 years", 0), ("all time", 0)])
def test_people_equal_gold_in_the_window_of_the_period(app: App, newest: Sql, as_of: date, period: str, window: int) -> None:
    page = app("people", project=["Delta Lake"], period=period)
    assert not page.error
    shown = table_with(page, "carries")
    rows = newest(
        "SELECT person, commits, carries FROM fct_people WHERE scope = 'Delta Lake' AND window_days = ? AND NOT is_bot "
        "ORDER BY rank, person", window,
    )  # fmt: skip
    assert (
        list(shown[["person", "commits", "carries"]].head(len(rows)).itertuples(index=False, name=None)) == rows[: len(shown)]
    )
    status = dict(zip(shown["person"], shown["status"], strict=True))
    gone = newest("SELECT person FROM fct_people WHERE scope = 'Delta Lake' AND window_days = 0 AND last_commit_at < ?",
                  as_of - timedelta(days=399))  # fmt: skip
    new = newest("SELECT person FROM fct_people WHERE scope = 'Delta Lake' AND first_commit_at > ?", as_of - timedelta(days=10))
    assert len(gone) == 1
    [summary] = [element.value for element in page.markdown if "made half of" in element.value]
    carriers = sum(carries for *_, carries in rows)
    commits = sum(commits for _, commits, _ in rows)
    assert f"{carriers} people made half of {commits:,} commits" in summary
    assert "1 new" in summary
    # Whoever left before the window before this one is not even gone.
    assert ("1 gone" in summary) == (window != 90)
    assert status.get(new[0][0], "new") == "new"
    bots = next(element.value for element in page.dataframe if "scope" in element.value.columns)
    assert set(bots["person"]) == {"dependabot[bot]", "web-flow"}


def test_people_of_chosen_repositories_are_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    class Repos(sample.Sample):
        def _people(self) -> Iterable[sample.Row]:
            first = sample.moment(self.as_of - timedelta(days=900))
            yield from super()._people()
            yield (
                "repo", "apache/iceberg-python", 365, "zoe", 1, 1.0, 1, first, sample.moment(self.as_of), False, True, False, 0,
            )  # fmt: skip

    sample.build(tmp_path, kind=Repos)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    opened = AppTest.from_file(str(APP), default_timeout=60)
    opened.query_params.update({"project": ["Apache Iceberg"], "repo": ["apache/iceberg-python"]})
    page = switch(opened.run(), "people")
    assert "1 person made half of 1 commit in the last year: zoe. 1 returning." in words(page)


def test_the_project_page_has_everything_of_one_project(app: App, newest: Sql) -> None:
    page = app("project", project=["Apache Iceberg"])
    assert not page.error
    assert [title.value for title in page.title] == ["Apache Iceberg"]
    assert [header.value for header in page.header] == [
        "What changed in four weeks", "Is it alive?", "Who carries it?", "Most commits in a year", "Do issues get answers?",
        "Longest without an answer", "Is adoption growing?", "All figures", "Repositories", "Stars and forks", "Releases",
        "Known breaks",
    ]  # fmt: skip
    # The project and its repositories, which are drawn where there are several.
    commits = drawn(page, sample.FIGURES["commits_28d"].title)
    expected = newest(
        "SELECT count(DISTINCT scope) FROM fct_figures WHERE figure = 'commits_28d' AND scope IN "
        "('Apache Iceberg', 'apache/iceberg', 'apache/iceberg-python')"
    )
    assert len(commits.groupby(["colour", "dash"])) == expected[0][0] == 3
    waiting = table_with(page, "title")
    oldest = newest(
        "SELECT number FROM fct_unanswered_issues WHERE repo LIKE 'apache/iceberg%' ORDER BY created_at, repo, number LIMIT 10"
    )
    assert list(waiting["number"]) == [number for (number,) in oldest]
    assert all(pd.isna(link) or link.startswith("https://") for link in waiting["url"])


def test_without_one_project_its_page_offers_all(app: App) -> None:
    page = app("project")
    assert "[Delta Lake](project?project=Delta+Lake)" in words(page)
    assert not pictures(page)
