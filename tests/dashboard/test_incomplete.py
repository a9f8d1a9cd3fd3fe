"""What is shown of incomplete histories and missing rows."""

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
from tests.dashboard.conftest import APP, drawn, pictures, switch
from tests.dashboard.sample import Row, Sample
from tests.dashboard.test_pages import words

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


def test_a_month_without_a_release_is_zero_from_the_first_release_on() -> None:
    weeks = [date(2026, month, 5) for month in (1, 2, 3, 4)]
    figures: list[Row] = [("project", "P", "stars", week, 1.0, 1, "known", None) for week in weeks]
    released: list[Row] = [
        ("P", version, sample.moment(date(2026, 2, day)), True, False) for version, day in (("1", 1), ("2", 9))
    ]
    found = ask(METRICS["releases"].sql, fct_figures=figures, fct_project_releases=released)
    assert found == [("P", date(2026, 2, 1), 2), ("P", date(2026, 3, 1), 0), ("P", date(2026, 4, 1), 0)]
    assert ask(METRICS["releases"].sql, fct_figures=figures) == []


def test_a_project_is_born_with_its_first_repository_and_its_first_release() -> None:
    releases: list[Row] = [
        ("P", "pypi", "a", str(day), str(day), sample.moment(day), False, False, None) for day in (DAY, date(2025, 1, 1))
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
def test_a_publication_without_snapshots_says_why(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))
    opened = AppTest.from_file(str(APP), default_timeout=60)
    opened.query_params["project"] = ["Delta Lake"]
    page = switch(opened.run(), "project")
    assert not page.exception
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
    assert "**Incomplete history.** apache/iceberg-python has github_issues data only since" in said
    # Even next to a repository with a complete history.
    assert "apache/iceberg-python has github_commits data only since" in shown("commits", project=["Apache Iceberg"])
    assert "github_commits data only since" not in shown("commits", project=["Delta Lake"])


@pytest.mark.usefixtures("clean_caches")
def test_a_repository_without_data_leaves_the_charts_of_the_others(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(cut))
    opened = AppTest.from_file(str(APP), default_timeout=60)
    opened.query_params.update(raw="true")
    page = switch(opened.run(), "commits")
    assert "apache/iceberg-python" not in pictures(page)
    for repo in ("apache/hudi", "apache/iceberg", "delta-io/delta"):
        assert drawn(page, repo)["value"].notna().sum() > 20
