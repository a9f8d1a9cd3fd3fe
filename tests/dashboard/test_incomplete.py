"""A figure of several repositories or packages is null unless each of them has one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.backends import bind
from dashboard.metrics import BIRTHS, METRICS
from tests.dashboard import sample
from tests.dashboard.conftest import APP, drawn, switch
from tests.dashboard.sample import Row, Sample
from tests.dashboard.test_pages import Tiles, words

DAY = date(2026, 3, 2)
AT = sample.moment(DAY)
NOTHING: list[Row] = []


def ask(sql: str, **tables: list[Row]) -> list[Row]:
    """The rows of a query on a gold of these rows alone."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA gold")
    for name, columns in sample.SCHEMAS.items():
        rows = sample.arrow(columns, tables.get(name, NOTHING))
        connection.register("rows", rows)
        connection.execute(f'CREATE TABLE gold."{name}" AS SELECT * FROM rows')  # noqa: S608 - our own names
    text, bound = bind(sql, {"projects": ("P",)})
    return connection.execute(text, bound).fetchall()


MEMBERS: list[Row] = [("P", "repo", "p/a"), ("P", "repo", "p/b"), ("P", "package", "a"), ("P", "package", "b")]


def fresh(cut: date | None = None) -> list[Row]:
    """Freshness of two repositories; the history of the second may start only at `cut`."""
    sources = ("github_commits", "github_issues", "github_comments", "github_pulls", "github_releases")
    return [
        (source, repo, AT, AT, sample.moment(cut) if cut and repo == "p/b" else None, 1, 1.0, 48, False)
        for source in sources
        for repo in ("p/a", "p/b")
    ]


def test_a_repository_without_rows_counts_as_zero_only_if_its_history_is_complete() -> None:
    commits: list[Row] = [("p/a", DAY, 3)]
    known = {"dim_projects": MEMBERS, "fct_all_time_author_commits_trend": commits}
    assert ask(METRICS["commits"].sql, **known, fct_data_freshness=fresh()) == [("P", DAY, 3)]
    assert ask(METRICS["commits"].sql, **known, fct_data_freshness=fresh(DAY)) == [("P", DAY, None)]
    assert ask(METRICS["commits"].sql, **known) == [("P", DAY, None)]


def test_a_value_missing_from_an_incomplete_history_leaves_the_project_without() -> None:
    backlog: list[Row] = [("p/a", DAY, 1, 1, 1.0, 7, 2.0), ("p/b", DAY, None, None, None, None, None)]
    found = {"dim_projects": MEMBERS, "fct_issue_backlog": backlog, "fct_data_freshness": fresh(DAY)}
    assert ask(METRICS["open"].sql, **found) == [("P", DAY, None)]
    assert ask(METRICS["backlog"].sql, **found) == [("P", DAY, None)]


def test_the_slowest_repository_is_known_only_if_all_are() -> None:
    one: list[Row] = [("p/a", DAY, 2, 2, 0, 1.0, 2.0, 3.0)]
    both: list[Row] = [*one, ("p/b", DAY, 0, 0, 0, None, None, None)]
    known = {"dim_projects": MEMBERS, "fct_data_freshness": fresh(DAY)}
    assert ask(METRICS["response"].sql, **known, fct_issue_response=one) == [("P", DAY, None)]
    assert ask(METRICS["response"].sql, **known, fct_issue_response=both) == [("P", DAY, 2.0)]


def test_stars_of_one_repository_are_not_those_of_the_project() -> None:
    def stats(repo: str, day: date, stars: int) -> Row:
        return (repo, day, 1, 1, stars, stars, 1, 1, 1, AT, AT, AT)

    later = DAY + timedelta(days=1)
    rows = [stats("p/a", DAY, 5), stats("p/b", DAY, 6), stats("p/a", later, 7)]
    found = ask(METRICS["stars"].sql, dim_projects=MEMBERS, fct_all_time_base_repo_stats=rows)
    assert found == [("P", DAY, 11), ("P", later, None)]


def test_downloads_need_each_package_that_is_released() -> None:
    def downloads(package: str, day: date, week: int | None) -> Row:
        return (package, "without_mirrors", day, 1, None, week, None)

    later = DAY + timedelta(days=1)
    released: list[Row] = [("P", "pypi", "b", "1", sample.moment(later), False, False, None)]
    rows = [downloads("a", DAY, 10), downloads("a", later, 11), downloads("b", later, None)]
    found = {"dim_projects": MEMBERS, "fct_percent_change_downloads_overall": rows}
    assert ask(METRICS["downloads"].sql, **found, fct_releases=released) == [("P", DAY, 10), ("P", later, None)]
    assert ask(METRICS["downloads"].sql, **found) == [("P", DAY, None), ("P", later, None)]


def test_a_project_is_born_with_its_first_repository_and_its_first_release() -> None:
    releases: list[Row] = [
        ("P", "pypi", "a", str(day), sample.moment(day), False, False, None) for day in (DAY, date(2025, 1, 1))
    ]
    stats: list[Row] = [("p/a", DAY, 1, 1, 1, 1, 1, 1, 1, sample.moment(date(2020, 2, 3)), AT, AT)]
    born = ask(BIRTHS, dim_projects=MEMBERS, fct_releases=releases, fct_all_time_base_repo_stats=stats)
    assert born == [("P", "package", date(2025, 1, 1)), ("P", "repo", date(2020, 2, 3))]


class Cut(Sample):
    """A sample without repository snapshots, in which every history of apache/iceberg-python is incomplete."""

    def _all_time_base_repo_stats(self) -> Iterable[Row]:
        return []

    def _without_python(self, rows: Iterable[Row]) -> Iterable[Row]:
        return [row for row in rows if row[0] != "apache/iceberg-python"]

    def _all_time_issues_trend(self) -> Iterable[Row]:
        return self._without_python(super()._all_time_issues_trend())

    def _issue_response(self) -> Iterable[Row]:
        return self._without_python(super()._issue_response())

    def _issue_backlog(self) -> Iterable[Row]:
        return self._without_python(super()._issue_backlog())

    def _contributor_absence_factor(self) -> Iterable[Row]:
        return self._without_python(super()._contributor_absence_factor())

    def _contributors(self) -> Iterable[Row]:
        return self._without_python(super()._contributors())

    def _num_labels_per_repo(self) -> Iterable[Row]:
        return self._without_python(super()._num_labels_per_repo())

    def _unanswered_issues(self) -> Iterable[Row]:
        return self._without_python(super()._unanswered_issues())

    def _data_freshness(self) -> Iterable[Row]:
        cut = sample.moment(self.as_of - timedelta(days=9))
        for source, scope, event, fetched, covered, *rest in super()._data_freshness():
            # A snapshot has no history.
            is_cut = scope == "apache/iceberg-python" and source != "github_repo"
            yield source, scope, event, fetched, cut if is_cut else covered, *rest


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.build(tmp_path_factory.mktemp("cut"), kind=Cut).data_dir


@pytest.mark.usefixtures("clean_caches")
def test_the_overview_shows_a_dash_and_the_reason_if_a_repository_has_no_value(
    cut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))
    page = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not page.exception
    shown = {(tile["lp-label"], tile["lp-value"], tile.get("lp-note", "")) for tile in Tiles(page).found[6:12]}
    assert ("Stars", "–", "a repository has no snapshot") in shown
    assert ("Open issues", "–", "incomplete history") in shown
    assert ("First response", "–", "no answers, or incomplete history") in shown
    assert ("Absence factor", "–", "no commits, or incomplete history") in shown
    hudi = {(tile["lp-label"], tile.get("lp-note")) for tile in Tiles(page).found[:6]}
    assert ("Downloads", "no packages") in hudi
    assert "This publication has no snapshots of these repositories" in words(page)


@pytest.mark.usefixtures("clean_caches")
def test_an_incomplete_history_is_not_reported_as_no_data(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))

    def shown(path: str, **query: object) -> str:
        opened = AppTest.from_file(str(APP), default_timeout=60)
        opened.query_params.update(query)
        page = switch(opened.run(), path)
        assert not page.exception
        return "\n".join(element.value.replace("\\", "") for element in page.info)

    python = {"project": ["Apache Iceberg"], "repo": ["apache/iceberg-python"]}
    said = shown("issues", **python)
    assert "No labelled issues" not in said
    assert "Every open issue has an answer" not in said
    assert "**Incomplete history.** apache/iceberg-python has github_issues only since" in said
    # Even next to a repository with a complete history.
    assert "apache/iceberg-python has github_commits only since" in shown("commits", project=["Apache Iceberg"])
    assert "github_commits only since" not in shown("commits", project=["Delta Lake"])


@pytest.mark.usefixtures("clean_caches")
def test_contributors_have_a_gap_if_a_repository_has_an_incomplete_history(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))

    def people(**query: object) -> list[float]:
        opened = AppTest.from_file(str(APP), default_timeout=60)
        opened.query_params.update(query)
        page = switch(opened.run(), "commits")
        return [float(value) for value in drawn(page, 4)["people"].dropna()]

    assert people(project=["Delta Lake"])
    assert not people(project=["Apache Iceberg"])
