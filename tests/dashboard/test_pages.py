"""Every page in Streamlit's own test driver: what it shows equals SQL on gold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from dashboard import card, charts, session
from dashboard.backends import Values
from dashboard.metrics import METRICS
from dashboard.views import PAGES
from lakepulse.settings import Settings
from tests.dashboard import sample
from tests.dashboard.conftest import APP, App, Sql, drawn, legend, pictures, switch
from tests.dashboard.reading import briefs_of
from tests.dashboard.sample import HOSTILE

PATHS = [page.path for page in PAGES]


def total(page: AppTest, title: str) -> float:
    """The sum of the values that a chart draws."""
    return float(drawn(page, title)["value"].sum())


ANSWERED = "Share of issues answered within 7 days, issues opened over 12 weeks"


def table_with(page: AppTest, column: str) -> pd.DataFrame:
    """The first table of a page with this column."""
    frame: pd.DataFrame = next(element.value for element in page.dataframe if column in element.value.columns)
    return frame


def words(page: AppTest) -> str:
    return "\n".join(
        str(element.value)
        for kind in (page.title, page.warning, page.info, page.error, page.caption, page.markdown, page.success)
        for element in kind
    )


def first_of(as_of: date, days: int = 364) -> date:
    day = as_of - timedelta(days=days)
    return day - timedelta(days=day.weekday())


@pytest.mark.parametrize("path", PATHS)
def test_every_page_opens_with_its_title_and_notices(app: App, path: str, as_of: date) -> None:
    page = app(path)
    assert not page.exception
    assert not page.error
    assert [title.value for title in page.title] == [entry.title for entry in PAGES if entry.path == path]
    said = words(page)
    assert "Demo data" in said
    assert "The last run failed" in said
    assert "All dates and times are UTC" in said
    assert f"As of {as_of}" in said


@pytest.mark.parametrize("path", PATHS)
def test_every_page_survives_a_selection_without_data(app: App, path: str) -> None:
    page = app(path, project=["Apache Hudi"], period="90 days")
    assert not page.exception
    assert not page.error


NEW_TABLES = {"dim_figures", "fct_figures", "fct_people", "fct_project_state", "fct_project_releases", "fct_news"}


def test_a_single_snapshot_draws_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    class One(sample.Sample):
        def _all_time_base_repo_stats(self) -> Iterable[sample.Row]:
            return [row for row in super()._all_time_base_repo_stats() if row[1] == self.as_of]

    sample.build(tmp_path, kind=One)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    opened = AppTest.from_file(str(APP), default_timeout=60)
    opened.query_params["project"] = ["Delta Lake"]
    page = switch(opened.run(), "project")
    assert len(pictures(page)) == 4
    assert "Only one snapshot so far" in words(page)


def test_an_older_publication_shows_figures_that_are_empty_then_and_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    class Quiet(sample.Sample):
        def _download_anomalies(self) -> Iterable[sample.Row]:
            return []

        def _releases(self) -> Iterable[sample.Row]:
            return []

    settings = sample.build(tmp_path, kind=Quiet)
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    opened = AppTest.from_file(str(APP), default_timeout=60)
    opened.query_params["as_of"] = (datetime.now(UTC).date() - timedelta(days=7)).isoformat()
    opened.run()
    for path in PATHS:
        page = switch(opened, path)
        assert "You are viewing the publication as of" in words(page)
        assert not page.exception
        assert not page.error


def test_an_error_in_a_figure_leaves_the_others(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(charts, "ranked", fails)
    page = app("issues")
    assert not page.exception
    [said] = [element.value for element in page.error]
    assert said.startswith("This figure cannot be shown")
    assert len(pictures(page)) == 5


def test_an_unknown_option_of_a_page_in_the_address_is_reported(app: App) -> None:
    page = app("compare", metric="nonsense", compare=["Foo", "Delta Lake"])
    said = words(page).replace("\\", "")
    assert "Metric not found: **nonsense**. Showing Commits in 28 days." in said
    assert "Project to compare not found: **Foo**. Showing Delta Lake." in said
    page.selectbox(key="metric").select_index(2).run()
    said = words(page).replace("\\", "")
    assert "nonsense" not in said
    assert "**Foo**" in said
    assert "not found" not in words(app("issues", raw="true", answers_of="apache/iceberg", backlog="Open at the end"))
    assert "Repository not found: **a/b**. Showing apache/hudi." in words(app("issues", raw="true", answers_of="a/b")).replace(
        "\\", ""
    )
    page = app("issues", raw="true", answers_of="apache/iceberg")
    page.multiselect(key="project").set_value(["Delta Lake"]).run()
    assert page.selectbox(key="answers_of").value == "delta-io/delta"
    assert "not found" not in words(page)


def test_changes_of_derived_columns_are_not_revisions(app: App, as_of: date) -> None:
    labels = [card.label for card in app("pypi", raw="true", as_of=(as_of - timedelta(days=7)).isoformat()).expander]
    numbers = {
        title: int(next(re.search(r"([\d,]+) revised", label).group(1) for label in labels if f"About: {title} " in label))  # type: ignore[union-attr]
        for title in ("Downloads by day", "Side by side")
    }
    assert numbers["Downloads by day"] > 0
    # A revised day changes the seven sums that include it.
    assert numbers["Side by side"] <= 7 * numbers["Downloads by day"]


@pytest.mark.parametrize("path", ["people", "commits"])
def test_out_of_date_sources_are_reported_on_every_page(app: App, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    real = session.View.frame
    stale: set[tuple[str, str]] = set()

    def frame(self: session.View, sql: str, extra: Values | None = None) -> pd.DataFrame:
        found = real(self, sql, extra)
        if "is_stale" in found and "source" in found:
            found = found.assign(is_stale=[pair in stale for pair in zip(found["source"], found["scope"], strict=True)])
        return found

    monkeypatch.setattr(session.View, "frame", frame)
    assert "Out of date" not in words(app(path))
    stale.add(("github_issues", "apache/hudi"))
    [notice] = [element.value for element in app(path).warning if "Out of date" in element.value]
    assert notice.replace("\\", "") == "**Out of date**: apache/hudi (github_issues). See the Data page."
    assert "Out of date" not in words(app(path, project=["Delta Lake"]))


def test_what_upstreams_no_longer_serve_is_not_called_out_of_date(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    real = session.View.frame

    def frame(self: session.View, sql: str, extra: Values | None = None) -> pd.DataFrame:
        found = real(self, sql, extra)
        if "is_stale" not in found or "source" not in found:
            return found
        gone = found["scope"].isin(["delta-io/delta"])
        closed = (found["scope"] == "apache/hudi") & (found["source"] == "github_issues")
        found = found.assign(is_stale=gone | (found["source"] == "pypistats_system"))
        return found.assign(
            status=found["status"].mask(gone, "gone").mask(closed, "closed"),
            status_detail=found["status_detail"].mask(gone, "404 Not Found").mask(closed, "410 Issues has been disabled."),
        )

    monkeypatch.setattr(session.View, "frame", frame)
    page = app("commits")
    warned = [element.value.replace("\\", "") for element in page.warning]
    # All sources of the repository, so none is named.
    assert "**Not found**: delta-io/delta. See the Data page." in warned
    late = "**Out of date**: delta-spark (pypistats_system) and pyiceberg (pypistats_system). See the Data page."
    assert late in warned
    closed = "**Switched off or refused by the upstream**: apache/hudi (github_issues: 410 Issues has been disabled). See"
    assert any(element.value.replace("\\", "").startswith(closed) for element in page.info)
    page = switch(page, "data")
    said = "when this was published: 6 not found, 1 switched off or refused by the upstream and 2 out of date."
    assert said in words(page)
    shown = table_with(page, "stale_after_hours")
    assert list(shown["problem"].head(9).isna()) == [False] * 9
    assert set(shown["status_detail"].dropna()) == {"404 Not Found", "410 Issues has been disabled."}


def test_the_repository_table_equals_the_last_snapshot(app: App, newest: Sql) -> None:
    shown = table_with(app("project", project=["Apache Iceberg"]), "stargazers_count").set_index("repo")
    last = newest(
        "SELECT repo, forks_count, size_kb, subscribers_count, network_count FROM fct_all_time_base_repo_stats "
        "WHERE repo LIKE 'apache/iceberg%' "
        "QUALIFY row_number() OVER (PARTITION BY repo ORDER BY snapshot_date DESC) = 1"
    )
    columns = ["forks_count", "size_kb", "subscribers_count", "network_count"]
    assert {(repo, *shown.loc[repo, columns]) for repo in shown.index} == set(last)


def figures(newest: Sql, figure: str, since: date, kind: str = "project") -> dict[tuple[str, str], float]:
    """Scope and week -> value of a figure."""
    rows = newest(
        "SELECT scope, week, value FROM fct_figures WHERE scope_kind = ? AND figure = ? AND week >= ? AND value IS NOT NULL",
        kind, figure, since,
    )  # fmt: skip
    return {(scope, str(week)): value for scope, week, value in rows}


@pytest.mark.parametrize(
    ("path", "title", "figure"),
    [
        ("issues", ANSWERED, "answered_7d_share_12w"),
        ("issues", "Median hours to the first answer, issues opened over 12 weeks", "first_response_median_hours_12w"),
        ("issues", "Issues closed per issue opened, 12 weeks", "closed_per_opened_12w"),
        ("issues", "Issues open at the end of the week", "open_issues"),
        ("pulls", "Median days from opening to merge, merges over 12 weeks", "merge_median_days_12w"),
        ("pulls", "Share of ended pull requests that were merged, 12 weeks", "acceptance_12w"),
        ("commits", "Commits by people in 28 days", "commits_28d"),
        ("commits", "People with a commit in 28 days", "active_people_28d"),
        ("commits", "Fewest people who made half of the commits in a year", "absence_factor_365d"),
        ("pypi", "Downloads per day, mean of 28 days, without mirrors", "downloads_per_day_28d"),
        ("pypi", "Downloads compared with a year before, in percent", "downloads_change_year"),
        ("pypi", "Stars at the end of the week", "stars"),
    ],
)
def test_rolling_figures_equal_gold(app: App, newest: Sql, as_of: date, *, path: str, title: str, figure: str) -> None:
    rows = drawn(app(path), title).dropna(subset=["value"])
    shown = {(row.series, row.at): row.value for row in rows.itertuples()}
    assert shown == pytest.approx(figures(newest, figure, first_of(as_of)))
    assert len(shown) > 100


def test_the_figure_of_a_summary_is_on_its_chart(app: App, newest: Sql) -> None:
    newest_week = (
        "SELECT scope, value FROM fct_figures WHERE figure = ? AND scope_kind = 'project' QUALIFY week = max(week) OVER ()"
    )
    shares: dict[str, float] = dict(newest(newest_week, "answered_7d_share_12w"))
    assert legend(app("issues"), ANSWERED) == {name: f"{value:.0%}" for name, value in shares.items()}
    # Delta Lake has no median now, and no line.
    assert set(legend(app("issues"), "Median hours to the first answer, issues opened over 12 weeks")) == {
        "Apache Hudi",
        "Apache Iceberg",
    }
    assert "No line: Delta Lake (no answer to 4 of 5 issues)." in words(app("issues"))


def test_a_point_says_how_many_events_are_behind_it(app: App, newest: Sql, as_of: date) -> None:
    said = pictures(app("issues"))[ANSWERED]["tips"]["said"].iloc[-1]
    rows = newest(
        "SELECT scope, value, n FROM fct_figures WHERE figure = 'answered_7d_share_12w' AND scope_kind = 'project' "
        "QUALIFY week = max(week) OVER () ORDER BY scope"
    )
    monday = as_of - timedelta(days=as_of.weekday())
    assert said.split("\n") == [f"{monday} (UTC)", *(f"{name}: {value:.0%} ({n} issues opened)" for name, value, n in rows)]


def test_a_partial_value_is_drawn_and_says_what_is_missing(app: App) -> None:
    page = app("pypi")
    stars = pictures(page)["Stars at the end of the week"]
    assert "partial: Apache Iceberg" in stars["about"]["subtitle"].iloc[0]
    assert "(1 repositories, partial)" in stars["tips"]["said"].iloc[-1]
    assert "Partial: Apache Iceberg (no snapshot of apache/iceberg-python)." in words(page).replace("\\", "")


def test_one_project_has_its_repositories_beside_it_and_chosen_ones_stand_alone(app: App, newest: Sql, as_of: date) -> None:
    shown = set(drawn(app("issues", project=["Apache Iceberg"]), ANSWERED)["series"])
    assert shown == {"Apache Iceberg", "apache/iceberg", "apache/iceberg-python"}
    page = app("issues", project=["Apache Iceberg"], repo=["apache/iceberg"])
    rows = drawn(page, ANSWERED)
    expected = figures(newest, "answered_7d_share_12w", first_of(as_of), "repo")
    assert {(row.series, row.at): row.value for row in rows.itertuples()} == pytest.approx(
        {key: value for key, value in expected.items() if key[0] == "apache/iceberg"}
    )


def test_a_click_shows_what_is_behind_the_point(app: App, newest: Sql, as_of: date) -> None:
    week = as_of - timedelta(days=as_of.weekday() + 70)
    page = app("issues", project=["Apache Iceberg"])
    page.session_state["chart-share-answered"] = {"selection": {"picked": [{"at": week.isoformat()}]}}
    page.run()
    assert not page.error
    last = week + timedelta(days=6)
    first, until = last - timedelta(days=90), last - timedelta(days=7)
    assert f"**Behind the week of {week}**, {first} to {until} (UTC)" in words(page)
    [n] = newest(
        "SELECT n FROM fct_figures WHERE scope = 'Apache Iceberg' AND figure = 'answered_7d_share_12w' AND week = ?", week
    )[0]  # fmt: skip
    assert f"({n} issues opened)" in words(page)
    lists = table_with(page, "Open")
    assert list(lists["Open"]) == [
        f"https://github.com/{repo}/issues?q=is%3Aissue+created%3A{first}..{until}"
        for repo in ("apache/iceberg", "apache/iceberg-python")
    ]
    waiting = newest(
        "SELECT count(*) FROM fct_unanswered_issues WHERE repo LIKE 'apache/iceberg%' AND CAST(created_at AS date) "
        "BETWEEN ? AND ?", first, until,
    )[0][0]  # fmt: skip
    assert waiting
    assert f"{waiting} open issue" in words(page)


def test_what_is_behind_a_point_is_reached_without_a_pointer(app: App, as_of: date) -> None:
    page = app("issues", project=["Apache Iceberg"])
    page.session_state["card-answered-within-7-days"] = True
    page.run()
    week = as_of - timedelta(days=as_of.weekday() + 70)
    page.selectbox(key="behind-answered-within-7-days").set_value(week).run()
    assert not page.error
    assert f"**Behind the week of {week}**" in words(page)
    assert len(table_with(page, "Open")) == 2


def test_commits_equal_gold(app: App, newest: Sql, as_of: date) -> None:
    page = app("commits", raw="true")
    # As the figures do, the trend by author date leaves bots out; whoever commits on GitHub's site is one.
    for title, table, column, counted in (
        ("Commits by author date", "fct_all_time_author_commits_trend", "commit_author_date", "num_commits_by_people"),
        ("Commits by committer date", "fct_all_time_committer_commits_trend", "commit_committer_date", "num_commits"),
    ):
        expected = newest(f"SELECT sum({counted}) FROM {table} WHERE {column} >= ?", first_of(as_of))  # noqa: S608
        assert total(page, title) == expected[0][0]
    for who in ("author", "committer"):
        rows = drawn(page, f"Commits by {who}, all time")
        expected = newest(f"SELECT repo, {who}, num_commits FROM fct_num_{who}_commits_by_repo WHERE rank <= 3")  # noqa: S608
        people = [row.split("\u241f")[1] for row in rows["row"]]
        assert set(zip(rows["series"], people, rows["value"], strict=True)) == set(expected)
    absence = pictures(page)["Fewest people who made half of the commits"]["rows"]
    assert absence["value"].sum() == newest("SELECT sum(factor) FROM fct_contributor_absence_factor")[0][0]
    newcomers = table_with(page, "first_commit_date")
    expected = newest(
        "SELECT repo, author FROM fct_first_commits WHERE first_commit_date BETWEEN ? AND ? "
        "ORDER BY first_commit_date DESC, repo, author LIMIT 100", first_of(as_of), as_of,
    )  # fmt: skip
    assert expected
    assert list(zip(newcomers["repo"], newcomers["author"], strict=True)) == expected
    bots = next(element.value for element in page.dataframe if list(element.value.columns) == ["repo", "author", "num_commits"])
    assert set(bots["author"]) == {"dependabot[bot]", "web-flow"}


def test_contributors_are_drawn_for_each_repository(app: App, newest: Sql, as_of: date) -> None:
    page = app("commits", raw="true")
    for repo in ("apache/hudi", "delta-io/delta"):
        expected = newest(
            'SELECT sum("new"), sum("returning"), sum(inactive) FROM fct_contributors WHERE repo = ? AND month >= ?',
            repo, first_of(as_of).replace(day=1),
        )[0]  # fmt: skip
        shown = drawn(page, repo).groupby("series")["value"].sum()
        assert (shown["new"], shown["returning"], shown["inactive"]) == expected


def test_filters_narrow_the_figures(app: App, newest: Sql, as_of: date) -> None:
    page = app("commits", raw="true", project=["Apache Iceberg"], repo=["apache/iceberg"], period="90 days")
    expected = newest(
        "SELECT sum(num_commits_by_people) FROM fct_all_time_author_commits_trend "
        "WHERE repo = 'apache/iceberg' AND commit_author_date >= ?", as_of - timedelta(days=89),
    )  # fmt: skip
    assert total(page, "Commits by author date") == expected[0][0]


def test_custom_dates_come_from_the_link(app: App, newest: Sql, as_of: date) -> None:
    first, last = as_of - timedelta(days=40), as_of - timedelta(days=11)
    page = app("commits", raw="true", **{"period": "custom", "from": first.isoformat(), "to": last.isoformat()})
    expected = newest(
        "SELECT sum(num_commits_by_people) FROM fct_all_time_author_commits_trend WHERE commit_author_date BETWEEN ? AND ?",
        first,
        last,
    )
    assert total(page, "Commits by author date") == expected[0][0]
    assert f"{first} to {last} (UTC)" in words(page)


def test_issues_equal_gold(app: App, newest: Sql, as_of: date) -> None:
    page = app("issues", raw="true")
    first = first_of(as_of)
    for repo in ("apache/hudi", "delta-io/delta"):
        sums = "SELECT sum(num_opened), sum(num_closed) FROM fct_all_time_issues_trend WHERE repo = ? AND date >= ?"
        shown = drawn(page, repo).groupby("series")["value"].sum()
        assert (shown["opened"], shown["closed"]) == newest(sums, repo, first)[0]
    # A year is drawn by week: the mean of its seven-day sums.
    trailing = newest(
        "SELECT sum(mean) FROM (SELECT avg(issues_last_7_days) AS mean FROM fct_last_7_days_fct_issues WHERE date >= ? "
        "GROUP BY repo, date - CAST(isodow(date) - 1 AS integer))", first,
    )  # fmt: skip
    assert total(page, "Issues opened in 7 days") == pytest.approx(trailing[0][0])
    updated = pictures(page)["Issues by days from opening to the last update, all time"]["rows"]["value"].sum()
    assert updated == newest("SELECT sum(num_issues) FROM fct_num_updated_issues")[0][0]
    labels = newest("SELECT sum(num_issues) FROM fct_num_labels_per_repo WHERE rank <= 3")[0][0]
    assert total(page, "Issues with the label, all time") == labels
    hours = newest("SELECT sum(p50_hours) FROM fct_issue_response WHERE repo = 'apache/hudi' AND week >= ?", first)[0][0]
    assert total(page, "Hours to the first answer, for answered issues") == pytest.approx(hours)
    days = newest("SELECT sum(p50_days) FROM fct_issue_resolution WHERE repo = 'apache/hudi' AND week >= ?", first)[0][0]
    assert total(page, "Days to close, for closed issues") == pytest.approx(days)


def test_a_season_is_drawn_by_days_and_years_by_months(app: App, newest: Sql, as_of: date) -> None:
    page = app("issues", raw="true", period="90 days")
    first = as_of - timedelta(days=89)
    trailing = newest("SELECT sum(issues_last_7_days) FROM fct_last_7_days_fct_issues WHERE date >= ?", first)
    assert total(page, "Issues opened in 7 days") == trailing[0][0]
    assert "Each point is" not in words(page)
    page = app("issues", raw="true", period="all time")
    hours = newest(
        "SELECT sum(middle), count(*) FROM (SELECT quantile_cont(p50_hours, 0.5) AS middle FROM fct_issue_response "
        "WHERE repo = 'apache/hudi' GROUP BY repo, strftime(week, '%Y-%m'))"
    )[0]
    assert total(page, "Hours to the first answer, for answered issues") == pytest.approx(hours[0])
    index = newest(
        "SELECT sum(backlog_index) FROM fct_issue_backlog WHERE month(week + 7) <> month(week) OR week + 7 > ?", as_of
    )
    assert total(page, "Closed per opened, 8 weeks") == pytest.approx(index[0][0])
    for said in (
        "the mean in its month; the card lists every day",
        "the median of the weeks in its month; the card lists every week",
    ):
        assert said in words(page)
    # The card counts its own rows, not the points drawn.
    rows = newest("SELECT count(*) FROM fct_last_7_days_fct_issues")[0][0]
    assert any(f"About: Issues opened in the trailing 7 days · {rows:,} rows" in element.label for element in page.expander)


def test_all_time_begins_where_the_data_of_the_chart_begin(app: App, newest: Sql) -> None:
    page = app("pypi", period="all time")
    begun = newest(
        "SELECT min(week) FROM fct_figures WHERE figure = 'downloads_per_day_28d' AND scope_kind = 'project' "
        "AND value IS NOT NULL"
    )[0][0]  # fmt: skip
    about = pictures(page)["Downloads per day, mean of 28 days, without mirrors"]["about"]["subtitle"].iloc[0]
    assert about.startswith(f"{begun} to ")
    assert begun > newest("SELECT min(date) FROM fct_all_time_issues_trend")[0][0]
    assert "all time to " in words(page)


def test_the_oldest_unanswered_issues_are_linked_and_harmless(app: App, newest: Sql) -> None:
    shown = table_with(app("issues"), "title")
    expected = newest("SELECT repo, number, title FROM fct_unanswered_issues ORDER BY age_days DESC, repo, number LIMIT 50")
    assert list(shown[["repo", "number", "title"]].itertuples(index=False, name=None)) == expected
    assert HOSTILE in set(shown["title"])
    links = [link for link in shown["url"] if isinstance(link, str)]
    assert links
    assert all(link.startswith("https://github.com/") for link in links)


def test_pull_requests_equal_gold(app: App, newest: Sql, as_of: date) -> None:
    page = app("pulls", raw="true")
    month = first_of(as_of).replace(day=1)
    for repo in ("apache/hudi", "apache/iceberg"):
        outcomes = newest(
            "SELECT sum(merged), sum(closed_unmerged), sum(still_open) FROM fct_change_requests WHERE repo = ? AND month >= ?",
            repo, month,
        )[0]  # fmt: skip
        shown = drawn(page, repo).groupby("series")["value"].sum()
        assert (shown["merged"], shown["closed unmerged"], shown["still open"]) == outcomes
    ratio, days = newest(
        "SELECT sum(acceptance_ratio), sum(p50_days_to_merge) FROM fct_change_requests WHERE month >= ?", month
    )[0]  # fmt: skip
    assert total(page, "Share merged, by month of opening") == pytest.approx(ratio)
    assert total(page, "Median days to merge, by month of opening") == pytest.approx(days)


def test_the_oldest_open_pull_requests_are_linked_and_those_of_bots_wait(app: App, newest: Sql) -> None:
    page = app("pulls")
    shown = table_with(page, "is_bot")
    expected = newest(
        "SELECT repo, number FROM fct_open_change_requests WHERE NOT is_bot ORDER BY age_days DESC, repo, number LIMIT 50"
    )
    assert list(shown[["repo", "number"]].itertuples(index=False, name=None)) == expected
    assert all(
        link == f"https://github.com/{repo}/pull/{number}" for link, repo, number in shown[["url", "repo", "number"]].values
    )
    assert table_with(app("pulls", bots="true"), "is_bot")["is_bot"].any()


@pytest.mark.parametrize("category", ["without_mirrors", "with_mirrors"])
def test_downloads_equal_gold(app: App, newest: Sql, as_of: date, category: str) -> None:
    query = {"raw": "true"} if category == "without_mirrors" else {"raw": "true", "category": "With mirrors"}
    changed = "Percent change in downloads, 7 days compared with the 7 before"
    page = app("pypi", **query, period="90 days")
    first = as_of - timedelta(days=89)
    where = "category = ? AND date >= ?"
    downloads = newest(f"SELECT sum(downloads) FROM fct_percent_change_downloads_overall WHERE {where}", category, first)  # noqa: S608
    assert total(page, "Downloads per day") == downloads[0][0]
    change = newest(f"SELECT sum(percent_change_7d) FROM fct_percent_change_downloads_overall WHERE {where}", category, first)  # noqa: S608
    assert total(page, changed) == pytest.approx(change[0][0])
    page = app("pypi", **query)
    first = first_of(as_of)
    weeks = newest(
        "SELECT sum(mean), sum(middle) FROM (SELECT avg(downloads) AS mean, quantile_cont(percent_change_7d, 0.5) AS middle "  # noqa: S608
        f"FROM fct_percent_change_downloads_overall WHERE {where} GROUP BY package, date - CAST(isodow(date) - 1 AS integer))",
        category, first,
    )[0]  # fmt: skip
    assert total(page, "Downloads per day") == pytest.approx(weeks[0])
    assert total(page, changed) == pytest.approx(weeks[1])
    unusual = newest(
        "SELECT count(*) FROM fct_download_anomalies WHERE is_anomaly AND category = 'without_mirrors' AND date >= ?", first
    )
    assert len(table_with(page, "robust_z")) == unusual[0][0]


def test_a_release_is_marked_and_listed_once_wherever_it_is_published(app: App, newest: Sql, as_of: date) -> None:
    page = app("pypi", project=["Apache Iceberg"])
    expected = newest(
        "SELECT version, is_on_pypi, is_on_github FROM fct_project_releases WHERE project = 'Apache Iceberg' "
        "AND CAST(released_at AS date) BETWEEN ? AND ? ORDER BY released_at DESC", first_of(as_of), as_of,
    )  # fmt: skip
    assert any(on_pypi and on_github for _, on_pypi, on_github in expected)
    marks = pictures(page)["Downloads per day, mean of 28 days, without mirrors"]["markers"]
    assert len(marks) == len(expected)
    assert any(label.endswith("PyPI and GitHub") for label in marks["label"])
    shown = table_with(page, "on_github")
    assert list(shown["version"]) == [version for version, *_ in expected]
    both = shown[shown["is_on_pypi"] & shown["is_on_github"]].iloc[0]
    assert both["on_pypi"] == f"https://pypi.org/project/pyiceberg/{both['version']}/"
    assert both["on_github"] == f"https://github.com/apache/iceberg/releases/tag/v{both['version']}"


@pytest.mark.parametrize(("after", "until", "span"), [(150, 260, 1), (100, 400, 7)], ids=["days", "weeks"])
def test_missing_days_are_gaps_and_never_zero(app: App, newest: Sql, after: int, until: int, span: int) -> None:
    begun = newest("SELECT min(date) FROM fct_percent_change_downloads_overall")[0][0]
    first, last = begun + timedelta(days=after), begun + timedelta(days=until)
    page = app("pypi", raw="true", **{"period": "custom", "from": first.isoformat(), "to": last.isoformat()})
    rows = drawn(page, "Downloads per day")
    gaps = [date.fromisoformat(day) for day in rows.loc[rows["value"].isna(), "at"]]
    assert gaps
    had = {day for (day,) in newest("SELECT DISTINCT date FROM fct_percent_change_downloads_overall")}
    assert not {day + timedelta(days=index) for day in gaps for index in range(span)} & had
    assert (rows["value"].dropna() > 0).all()


@pytest.mark.parametrize("period", ["90 days", "1 year", "all time"])
def test_an_index_begins_at_100(app: App, period: str) -> None:
    title = "7-day downloads as an index, first point of the period = 100"
    rows = drawn(app("pypi", raw="true", period=period), title).dropna(subset=["value"])
    assert list(rows.groupby("series")["value"].first()) == [100.0, 100.0]


@pytest.mark.parametrize("parts", ["version", "python minor", "system"])
def test_shares_sum_to_one(app: App, parts: str) -> None:
    rows = drawn(app("pypi", project=["Apache Iceberg"]), f"Downloads of pyiceberg by {parts}")
    assert rows.groupby("at")["value"].sum().to_list() == pytest.approx([1.0] * rows["at"].nunique())


def test_without_a_source_of_versions_the_page_says_so(app: App) -> None:
    assert "CLICKHOUSE_URL" in words(app("pypi", project=["Delta Lake"]))
    assert "CLICKHOUSE_URL" not in words(app("pypi", project=["Apache Iceberg"]))


def test_compare_offers_the_figures_of_projects_and_releases(app: App, newest: Sql) -> None:
    titles = {title for (title,) in newest("SELECT title FROM dim_figures WHERE scope_kinds LIKE '%project%'")}
    assert len(titles) > 10
    offered = app("compare").selectbox(key="metric").options
    assert set(offered) == titles | {METRICS["releases"].title}
    assert len(offered) == len(titles) + 1


def title_of(name: str) -> str:
    return METRICS[name].title if name in METRICS else sample.FIGURES[name].title


@pytest.mark.parametrize("metric", ["stars", "commits_28d", "answered_7d_share_12w", "downloads_per_day_28d", "releases"])
def test_every_metric_compares_by_calendar_and_by_age(app: App, metric: str) -> None:
    page = app("compare", metric=title_of(metric))
    assert not page.exception
    assert not page.error
    assert page.header[0].value == title_of(metric)
    assert total(page, title_of(metric)) > 0
    aged = drawn(app("compare", metric=title_of(metric), align="By age"), title_of(metric))
    # Ages count from the creation of a repository, which is the sample's first day, not from our first row.
    if metric not in METRICS and not metric.startswith("downloads"):
        assert aged["age"].min().round() in {-1.0, 0.0}


def test_compared_figures_equal_gold(app: App, newest: Sql) -> None:
    page = app("compare", metric=title_of("commits_28d"), align="By age", compare=["Apache Iceberg", "Delta Lake"])
    expected = newest(
        "SELECT sum(value) FROM fct_figures WHERE figure = 'commits_28d' AND scope IN ('Apache Iceberg', 'Delta Lake')"
    )
    assert total(page, title_of("commits_28d")) == expected[0][0]


def test_a_project_without_a_line_says_why(app: App) -> None:
    page = app("compare", metric=title_of("first_response_median_hours_12w"), compare=["Apache Hudi", "Delta Lake"])
    assert "Delta Lake has no line: no answer to 4 of 5 issues." in words(page)


def test_one_project_cannot_be_compared(app: App) -> None:
    page = app("compare", compare=["Delta Lake"])
    assert "at least two" in words(page)
    assert not pictures(page)


def test_the_data_page_shows_freshness_checks_runs_and_snapshots(app: App, newest: Sql) -> None:
    page = app("data")
    assert len(table_with(page, "lag_hours")) == newest("SELECT count(*) FROM fct_data_freshness")[0][0]
    late = newest("SELECT count(*) FROM fct_data_freshness WHERE is_stale")[0][0]
    assert f"sources when this was published: {late} out of date." in words(page)
    assert set(table_with(page, "check_name")["check_name"]) == {
        name for (name,) in newest("SELECT check_name FROM fct_data_quality")
    }
    runs = table_with(page, "Failed step")
    assert list(runs["Run"]) == ["sample-3", "sample-2", "sample-1"]
    assert runs["Outcome"].iloc[0] == "failed"
    assert set(table_with(page, "Snapshot")["Table"]) == {f"gold.{name}" for name in sample.SCHEMAS}


def test_series_left_out_of_a_chart_are_reported_and_in_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    sample.build_large(tmp_path, projects=charts.MOST_SERIES + 2)
    page = open_app(monkeypatch, tmp_path)
    for path, title in (
        ("commits", "Commits by people in 28 days"),
        ("issues", ANSWERED),
        ("pulls", "Share of ended pull requests that were merged, 12 weeks"),
        ("pypi", "Downloads per day, mean of 28 days, without mirrors"),
    ):
        switch(page, path)
        assert not page.error
        assert any("2 more are in the card" in element.value for element in page.markdown), path
        rows = drawn(page, title)
        assert rows["series"].nunique() == charts.MOST_SERIES
        # Beyond eight projects, a colour repeats with another dash.
        assert len(set(zip(rows["colour"], rows["dash"], strict=True))) == charts.MOST_SERIES
    marks = pictures(page)["Downloads per day, mean of 28 days, without mirrors"]["markers"]
    assert set(marks["colour"]) <= set(rows["colour"])


def test_an_older_publication_shows_its_own_figures(app: App, older: Sql, as_of: date) -> None:
    then = as_of - timedelta(days=7)
    page = app("commits", raw="true", as_of=then.isoformat())
    expected = older(
        "SELECT sum(num_commits_by_people) FROM fct_all_time_author_commits_trend WHERE commit_author_date >= ?", first_of(then)
    )
    assert total(page, "Commits by author date") == expected[0][0]
    assert f"You are viewing the publication as of **{then}**" in words(page)


def test_a_card_shows_definition_source_sql_rows_age_and_omissions(app: App) -> None:
    page = app("commits", raw="true")
    page.session_state["card-commits-by-author-date"] = True
    page.run()
    said = words(page)
    for part in ("**Definition.**", "**Source.**", "**Left out.**", "**Data.**", "https://docs.github.com/"):
        assert part in said
    assert "Revised since" not in said
    assert "gold.fct_all_time_author_commits_trend" in page.code[0].value
    assert ":repos" not in page.code[0].value
    assert [button.label for button in page.download_button] == ["Download CSV", "Download Parquet"]


def test_the_sql_of_a_card_gives_the_rows_of_the_card(app: App, newest: Sql) -> None:
    page = app("issues")
    page.session_state["card-top-3-labels"] = True
    page.run()
    rows = newest(page.code[0].value.replace("gold.", ""))
    shown = next(
        element.value for element in page.dataframe if list(element.value.columns) == ["repo", "label", "num_issues", "rank"]
    )
    assert list(shown.itertuples(index=False, name=None)) == rows


def test_an_older_publication_shows_what_was_revised_since(app: App, newest: Sql, older: Sql, as_of: date) -> None:
    page = app("pypi", raw="true", as_of=(as_of - timedelta(days=7)).isoformat())
    page.session_state["card-downloads-by-day"] = True
    page.run()
    sql = "SELECT package, date, downloads FROM fct_percent_change_downloads_overall WHERE category = 'without_mirrors'"
    then, now = ({(package, day): n for package, day, n in run(sql)} for run in (older, newest))
    changed = [key for key, n in then.items() if key in now and now[key] != n]
    assert changed
    assert f"{len(changed)} rows are changed, new or gone" in words(page)
    assert len(table_with(page, "downloads then")) == len(changed)


def test_an_incomplete_history_is_reported(app: App) -> None:
    page = app("issues")
    incomplete = "apache/hudi has github_comments data only since"
    # Once, although several figures are made of these comments.
    [notice] = [element.value for element in page.info if incomplete in element.value.replace("\\", "")]
    assert notice.startswith("**Incomplete history.**")
    page.session_state["card-median-time-to-first-response"] = True
    page.run()
    assert any("**Left out.**" in element.value and incomplete in element.value.replace("\\", "") for element in page.markdown)


def test_revisions_ignore_differences_within_the_contracts_tolerance() -> None:
    then = pd.DataFrame({"day": [1, 2, 3, 4], "share": [0.5, None, 1.0, None]})
    now = pd.DataFrame({"day": [1, 2, 3, 5], "share": [0.5 + 1e-9, None, 1.1, 2.0]})
    found = card.revised(then, now, ["day"])
    assert list(found["day"]) == [3, 4, 5]
    assert list(found["change"]) == ["changed", "gone", "new"]


def test_hostile_names_are_shown_and_never_interpreted(app: App) -> None:
    for path in PATHS:
        page = app(path)
        assert "<img" not in words(page).replace("\\<", "")
        for kind in ("markdown", "caption", "warning"):
            assert not any(element.proto.allow_html for element in getattr(page, kind) if hasattr(element.proto, "allow_html"))


def test_every_gold_table_has_a_definition_and_known_sources() -> None:
    from lakepulse.sources import SOURCES

    without_card = {"dim_projects", "dim_figures", "fct_project_state"}
    assert set(card.definitions()) == set(sample.SCHEMAS) - without_card
    assert {source for definition in card.definitions().values() for source in definition.sources} <= set(SOURCES)


def test_the_sample_has_the_columns_that_dbt_declares() -> None:
    kinds = {"varchar": "string", "bigint": "int64", "double": "double", "boolean": "bool", "date": "date32[day]"}
    folder = Path(__file__).resolve().parents[2] / "dbt" / "models" / "gold"
    promised: dict[str, dict[str, str]] = {}
    for path in folder.glob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            promised[model["name"]] = {c["name"]: kinds.get(c["data_type"], "timestamp[us]") for c in model["columns"]}
    used = {name: {column: str(kind) for column, kind in columns.items()} for name, columns in sample.SCHEMAS.items()}
    assert {name: promised.get(name) for name in used} == used


def open_app(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AppTest:
    monkeypatch.setenv("DATA_DIR", str(folder))
    return AppTest.from_file(str(APP), default_timeout=60).run()


def test_without_data_the_page_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    page = open_app(monkeypatch, tmp_path / "nothing")
    assert not page.exception
    assert page.title[0].value == "The data cannot be read"
    assert "No data in" in page.error[0].value
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_publication_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    settings = Settings(data_dir=tmp_path)
    sample.record_run(settings, "run", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), failed="load")
    page = open_app(monkeypatch, tmp_path)
    assert not page.exception
    assert page.title[0].value == "Nothing is published yet"


def test_an_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch, lake: Settings, clean_caches: None) -> None:
    monkeypatch.setenv("TRINO_PORT", "many")
    page = open_app(monkeypatch, lake.data_dir)
    assert not page.exception
    assert "TRINO\\_PORT" in page.error[0].value


def test_old_figures_are_called_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    old = datetime.now(UTC).date() - timedelta(days=9)
    sample.build(tmp_path, old)
    page = open_app(monkeypatch, tmp_path)
    assert "These figures are old" in words(page)
    assert f"As of {old}" in words(page)


def test_a_figure_whose_file_is_lost_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    settings = sample.build(tmp_path)
    for file in (settings.data_dir / "warehouse" / "gold" / "fct_num_labels_per_repo").rglob("*.parquet"):
        file.unlink()
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    page = switch(AppTest.from_file(str(APP), default_timeout=60).run(), "issues")
    assert not page.exception
    assert len(page.error) == 1
    assert "fct\\_num\\_labels\\_per\\_repo" in page.error[0].value
    assert len(pictures(page)) == 5


def test_an_unknown_filter_value_in_the_address_is_reported(app: App) -> None:
    page = app("commits", as_of="2020-01-01", project=["Nope"], repo=["a/b"], period="fortnight")
    said = words(page).replace("\\", "")
    for notice in (
        "As-of date not found: **2020-01-01**. Showing the newest.",
        "Project not found: **Nope**. Showing all.",
        "Repository not found: **a/b**. Showing all.",
        "Period not found: **fortnight**. Showing 1 year.",
    ):
        assert notice in said
    page.selectbox(key="period").set_value("90 days").run()
    said = words(page).replace("\\", "")
    assert "fortnight" not in said
    assert "**Nope**" in said
    assert "not found" not in words(app("commits", period="90 days", project=["Delta Lake"]))
    said = words(app("commits", **{"period": "custom", "from": "1999-01-01"})).replace("\\", "")
    assert "Date outside the data: **1999-01-01**. Showing all." in said


def test_a_period_that_ends_before_it_starts_is_reported(app: App, as_of: date) -> None:
    page = app("commits", **{"period": "custom", "from": as_of.isoformat(), "to": (as_of - timedelta(days=9)).isoformat()})
    assert not page.exception
    assert "The period ends before it starts" in words(page)


def test_a_partial_first_month_is_included(app: App, newest: Sql, as_of: date) -> None:
    first = as_of.replace(day=1) - timedelta(days=40)
    page = app("commits", raw="true", **{"period": "custom", "from": first.isoformat(), "to": as_of.isoformat()})
    people = drawn(page, "apache/hudi")
    assert people["at"].min() == str(first.replace(day=1))
    assert people["value"].sum() == newest(
        "SELECT sum(\"new\" + \"returning\" + inactive) FROM fct_contributors WHERE repo = 'apache/hudi' AND month >= ?",
        first.replace(day=1),
    )[0][0]  # fmt: skip


def test_a_backfill_of_a_published_day_is_listed_separately_and_links_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    settings = sample.build(tmp_path)
    now = datetime.now(UTC)
    then = now.date() - timedelta(days=7)
    sample.publish(settings, sample.Sample(then, revised=False), "backfill", now)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    said = {}
    for label in (f"{then}", f"{then}, published {now:%Y-%m-%d %H:%M:%S}"):
        page = AppTest.from_file(str(APP), default_timeout=60)
        page.query_params["as_of"] = label
        page.run()
        assert page.selectbox(key="as_of").value == label
        links = [link for brief in briefs_of(page).values() for link in brief.links.values()]
        assert all(parse_qs(urlsplit(link).query)["as_of"] == [label] for link in links)
        said[label] = next(element.value for element in page.caption if "All dates and times" in element.value)
    assert ["sample" in value.replace("\\", "") for value in said.values()] == [True, False]
    assert "backfill" in list(said.values())[1]


def test_comparisons_across_a_known_break_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None) -> None:
    today = datetime.now(UTC).date()
    broken = today - timedelta(days=90)
    odd_days = [broken + timedelta(days=days) for days in (-1, 1, 56, 57)]
    releases = [broken + timedelta(days=days) for days in (-8, -7, 6, 7)]

    class Broken(sample.Sample):
        def _known_breaks(self) -> Iterable[sample.Row]:
            yield "b", "pypistats", None, broken, None, "Counts differently", "Fewer", None
            yield "c", "pypistats", "deltalake", self.as_of, None, "Of another package", "Fewer", None
            yield "d", "github", None, self.as_of, None, "Of another source", "Fewer", None

        def _download_anomalies(self) -> Iterable[sample.Row]:
            return [("pyiceberg", "without_mirrors", day, 9, 1.0, 1.0, 5.0, True) for day in odd_days]

        def _release_uplift(self) -> Iterable[sample.Row]:
            return [("pyiceberg", str(day), sample.moment(day), 1, 1, 0.0) for day in releases]

    sample.build(tmp_path, kind=Broken)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    page = AppTest.from_file(str(APP), default_timeout=60).run()
    switch(page, "pypi")
    unusual, uplift = table_with(page, "robust_z"), table_with(page, "uplift_percent")
    assert {day.date() for day, of in zip(unusual["date"], unusual["broken_on"], strict=True) if not pd.isna(of)} == set(
        odd_days[1:3]
    )
    versions = {version for version, of in zip(uplift["version"], uplift["broken_on"], strict=True) if not pd.isna(of)}
    assert versions == {str(releases[1]), str(releases[2])}


def test_a_closed_card_shows_how_many_rows_were_revised(app: App, as_of: date) -> None:
    labels = [card.label for card in app("pypi", raw="true", as_of=(as_of - timedelta(days=7)).isoformat()).expander]
    assert any("About: Downloads by day · " in label and " revised since" in label for label in labels)
    assert not any("since" in card.label for card in app("pypi").expander)


def test_a_week_in_progress_is_not_revised(app: App, as_of: date) -> None:
    """The sample's issues differ between the publications only in the week that was in progress."""
    page = app("issues", raw="true", as_of=(as_of - timedelta(days=7)).isoformat())
    label = next(card.label for card in page.expander if "Issues opened and closed" in card.label)
    assert " · 0 revised since" in label


def test_a_known_break_is_marked_on_each_chart_that_it_touches_and_explained_once(app: App) -> None:
    page = app("pypi", raw="true", project=["Apache Iceberg"])
    notes = [element.value for element in page.markdown if "pypistats changed how it counts" in element.value]
    assert len(notes) == 1
    assert notes[0].count("pypistats changed how it counts") == 1
    marked = {title: set(parts["breaks"]["mark"]) for title, parts in pictures(page).items() if len(parts.get("breaks", ()))}
    assert len(marked) >= 5
    [letter] = set.union(*marked.values())
    assert f"**{letter}** · 2026-08-24: " in notes[0]
    # Not where the break lies outside the chart, nor of another source.
    assert "Stars at the end of the week" not in marked
    assert "pypistats changed" not in words(app("pypi", **{"period": "custom", "from": "2026-09-01", "to": "2026-10-01"}))


def test_a_project_without_packages_is_named_once(app: App) -> None:
    page = app("pypi", project=["Apache Hudi"])
    assert len([element.value for element in page.info if "no package" in element.value]) == 1
    # It still has stars and releases.
    assert [header.value for header in page.header] == ["Stars", "Releases"]
    compared = app("compare", metric=title_of("downloads_per_day_28d"))
    assert "Apache Hudi has no packages." in words(compared)


def test_all_unanswered_issues_can_be_downloaded(app: App, newest: Sql) -> None:
    page = app("issues")
    number = newest("SELECT count(*) FROM fct_unanswered_issues")[0][0]
    assert number > 50
    assert f"Showing 50 of {number}" in words(page)
    assert any(f"Oldest unanswered issues · {number} rows" in card.label for card in page.expander)


def test_checks_are_those_of_the_selected_projects(app: App) -> None:
    assert set(table_with(app("data"), "check_name")["scope"]) == {"apache/iceberg", "apache/hudi", ""}
    shown = table_with(app("data", project=["Apache Hudi"]), "check_name")
    assert set(shown["scope"]) == {"apache/hudi", ""}
    assert "title is not a string" in set(shown["reason"])


def test_every_source_has_its_limit_and_every_break_its_effect(app: App) -> None:
    page = app("data")
    assert set(table_with(page, "stale_after_hours")["stale_after_hours"]) == {48}
    assert any("A wave of old issues appears as newly opened" in element.value for element in page.markdown)


def test_a_change_in_several_sources_appears_once_with_its_effect_on_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_caches: None
) -> None:
    class Twice(sample.Sample):
        def _known_breaks(self) -> Iterable[sample.Row]:
            for source, link in (("pypistats", "https://a.example/why"), ("clickhouse_versions", None)):
                yield source, source, None, self.as_of, None, "Counts differently.", f"As {source} says.", link

    sample.build(tmp_path, kind=Twice)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    page = switch(AppTest.from_file(str(APP), default_timeout=60).run(), "data")
    [listed] = [element.value.replace("\\", "") for element in page.markdown if "Counts differently" in element.value]
    assert listed.count("Counts differently.") == 1
    assert "pypistats: As pypistats says. [Source](https://a.example/why)" in listed
    assert "clickhouse_versions: As clickhouse_versions says.\n" in listed


def test_a_comparison_reports_the_incomplete_histories_of_its_own_projects(app: App) -> None:
    def shown(metric: str = "answered_7d_share_12w", **query: str | list[str]) -> str:
        return words(app("compare", metric=title_of(metric), **query)).replace("\\", "")

    incomplete = "apache/hudi has github_comments data only since"
    assert incomplete in shown(project=["Delta Lake"], compare=["Apache Hudi", "Delta Lake"])
    assert incomplete not in shown(project=["Apache Hudi"], compare=["Apache Iceberg", "Delta Lake"])
    # Nor of sources that the figure is not made of.
    assert incomplete not in shown("commits_28d", compare=["Apache Hudi", "Delta Lake"])


@pytest.mark.parametrize("figure", ["stars", "forks", "subscribers"])
def test_stars_over_time_equal_gold(app: App, newest: Sql, as_of: date, figure: str) -> None:
    column = {"stars": "stargazers_count"}.get(figure, f"{figure}_count")
    # The last chart of a project's page.
    page = app("project", project=["Apache Hudi"], period="90 days").radio(key="interest").set_value(figure).run()
    sql = f"SELECT sum({column}) FROM fct_all_time_base_repo_stats WHERE repo = 'apache/hudi' AND snapshot_date > ?"  # noqa: S608
    expected = newest(sql, as_of - timedelta(days=90))
    assert total(page, f"{figure.capitalize()} of each repository") == expected[0][0]
    last = newest(
        f"SELECT {column} FROM fct_all_time_base_repo_stats WHERE repo = 'apache/hudi' ORDER BY snapshot_date DESC LIMIT 1"  # noqa: S608
    )
    page = app("project", project=["Apache Hudi"]).radio(key="interest").set_value(figure).run()
    yearly = drawn(page, f"{figure.capitalize()} of each repository")
    assert yearly["value"].iloc[-1] == last[0][0]
