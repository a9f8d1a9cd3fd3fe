"""A figure of several repositories or packages is no figure unless each of them has one."""

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
from tests.dashboard.conftest import APP, drawn
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
    """Both repositories are fetched; the history of the second may be cut."""
    sources = ("github_commits", "github_issues", "github_comments", "github_pulls", "github_releases")
    return [
        (source, repo, AT, AT, sample.moment(cut) if cut and repo == "p/b" else None, 1, 1.0, 48, False)
        for source in sources
        for repo in ("p/a", "p/b")
    ]


def test_a_repository_without_rows_adds_nothing_only_if_its_history_is_whole() -> None:
    commits: list[Row] = [("p/a", DAY, 3)]
    known = {"dim_projects": MEMBERS, "fct_all_time_author_commits_trend": commits}
    assert ask(METRICS["commits"].sql, **known, fct_data_freshness=fresh()) == [("P", DAY, 3)]
    assert ask(METRICS["commits"].sql, **known, fct_data_freshness=fresh(DAY)) == [("P", DAY, None)]
    assert ask(METRICS["commits"].sql, **known) == [("P", DAY, None)]


def test_a_value_that_a_cut_history_leaves_out_leaves_the_project_without() -> None:
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
    """A sample in which nothing of apache/iceberg-python is known whole, and that has no snapshots of repositories."""

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
            # A snapshot has no history that could be cut.
            is_cut = scope == "apache/iceberg-python" and source != "github_repo"
            yield source, scope, event, fetched, cut if is_cut else covered, *rest


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.build(tmp_path_factory.mktemp("cut"), kind=Cut).data_dir


@pytest.mark.usefixtures("clean_caches")
def test_the_overview_has_a_dash_and_its_reason_where_a_repository_is_not_known(
    cut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))
    page = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not page.exception
    shown = {(tile["lp-label"], tile["lp-value"], tile.get("lp-note", "")) for tile in Tiles(page).found[6:12]}
    assert ("Stars", "–", "not every repository has a snapshot") in shown
    assert ("Open issues", "–", "not every history is whole") in shown
    assert ("First response", "–", "no answer, or not every history is whole") in shown
    assert ("Absence factor", "–", "no commit, or not every history is whole") in shown
    hudi = {(tile["lp-label"], tile.get("lp-note")) for tile in Tiles(page).found[:6]}
    assert ("Downloads", "no packages") in hudi
    assert "This publication has no snapshot of these repositories" in words(page)


@pytest.mark.usefixtures("clean_caches")
def test_nothing_is_called_none_where_it_is_not_known(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))

    def told(file: str, **query: object) -> str:
        opened = AppTest.from_file(str(APP), default_timeout=60)
        opened.query_params.update(query)
        page = opened.run().switch_page(f"views/{file}").run()
        assert not page.exception
        return "\n".join(element.value.replace("\\", "") for element in page.info)

    python = {"project": ["Apache Iceberg"], "repo": ["apache/iceberg-python"]}
    said = told("issues.py", **python)
    assert "No issue here carries a label" not in said
    assert "Every open issue has an answer" not in said
    assert "**Not known as a whole.** apache/iceberg-python has github_issues only from" in said
    # Also beside a repository of which all is known.
    assert "apache/iceberg-python has github_commits only from" in told("commits.py", project=["Apache Iceberg"])
    assert "github_commits only from" not in told("commits.py", project=["Delta Lake"])


@pytest.mark.usefixtures("clean_caches")
def test_contributors_are_a_gap_where_a_repository_is_not_known(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))

    def people(**query: object) -> list[float]:
        opened = AppTest.from_file(str(APP), default_timeout=60)
        opened.query_params.update(query)
        page = opened.run().switch_page("views/commits.py").run()
        return [float(value) for value in drawn(page, 4)["people"].dropna()]

    assert people(project=["Delta Lake"])
    assert not people(project=["Apache Iceberg"])
