"""The whole pipeline on recorded data of real projects, held against counts made from the files alone."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from lakepulse_simulator import RecordedWorld, Simulator
from tests.end_to_end.harness import ROOT, Gold, pointed_at, project_list

FOLDER = Path(os.environ.get("LAKEPULSE_RECORDED_DATA", ROOT.parent / "shared" / "data"))
DOWNLOADS_END = date(2025, 4, 10)
COMMITS_END = date(2026, 8, 22)
SERVED_DAYS = 180

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded data; LAKEPULSE_RECORDED_DATA names its folder"),
]


@pytest.fixture(scope="module")
def golds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gold, Gold]]:
    """Gold after a first run when the downloads end, and after a second one 16 months later."""
    folder = tmp_path_factory.mktemp("recorded")
    with Simulator(RecordedWorld(FOLDER, DOWNLOADS_END)) as simulator:
        installation = pointed_at(simulator, folder)
        project_list(folder / "projects.yaml", ["delta-io/delta", "apache/hudi-rs"], ["icepyx"])
        installation.run(DOWNLOADS_END)
        first = installation.gold(folder / "first")
        simulator.world.set_date(COMMITS_END)
        installation.run(COMMITS_END)
        yield first, installation.gold(folder / "second")


def commits(stem: str) -> list[dict[str, Any]]:
    with gzip.open(FOLDER / f"{stem}.commits.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def per_day(stem: str, role: str) -> Counter[date]:
    return Counter(datetime.fromisoformat(c["commit"][role]["date"].replace("Z", "+00:00")).date() for c in commits(stem))


@pytest.mark.parametrize(("repo", "total"), [("delta-io/delta", 5534), ("apache/hudi-rs", 266)])
@pytest.mark.parametrize(("role", "table"), [("author", "author"), ("committer", "committer")])
def test_commits_per_day_equal_the_file(golds: tuple[Gold, Gold], repo: str, total: int, role: str, table: str) -> None:
    rows = [row for row in golds[1][f"fct_all_time_{table}_commits_trend"] if row["repo"] == repo]
    found = {row[f"commit_{table}_date"]: row["num_commits"] for row in rows if row["num_commits"]}
    assert found == per_day(repo.replace("/", "__"), role)
    assert sum(found.values()) == total
    days = [row[f"commit_{table}_date"] for row in rows]
    assert len(days) == (COMMITS_END - days[0]).days + 1, "a calendar without holes, up to the run's date"


def test_commits_per_month_equal_what_git_counted(golds: tuple[Gold, Gold]) -> None:
    months = Counter[str]()
    for row in golds[1]["fct_all_time_committer_commits_trend"]:
        if row["repo"] == "delta-io/delta":
            months[f"{row['commit_committer_date']:%Y-%m}"] += row["num_commits"]
    last = sorted(months)[-12:]
    assert (last[0], last[-1]) == ("2025-09", "2026-08")
    assert [months[month] for month in last] == [89, 77, 79, 84, 108, 70, 123, 127, 117, 126, 148, 79]


def test_every_commit_has_one_author_and_one_committer(golds: tuple[Gold, Gold]) -> None:
    for table in ("author", "committer"):
        totals = Counter[str]()
        for row in golds[1][f"fct_num_{table}_commits_by_repo"]:
            totals[row["repo"]] += row["num_commits"]
        assert totals == {"delta-io/delta": 5534, "apache/hudi-rs": 266}
    web_flow = [row for row in golds[1]["fct_num_committer_commits_by_repo"] if row["committer"] == "web-flow"]
    named = sum(c["commit"]["committer"]["name"] == "GitHub" for c in commits("delta-io__delta"))
    (in_delta,) = [row for row in web_flow if row["repo"] == "delta-io/delta"]
    assert (in_delta["num_commits"], in_delta["is_bot"], in_delta["rank"]) == (named, True, None)


def test_downloads_equal_the_file_where_they_were_served_and_stay_when_they_are_not(golds: tuple[Gold, Gold]) -> None:
    with (FOLDER / "icepyx.overall.csv").open(encoding="utf-8") as file:
        wanted = {
            (row["category"], day): int(row["downloads"])
            for row in csv.DictReader(file)
            if 1 <= (DOWNLOADS_END - (day := date.fromisoformat(row["date"]))).days <= SERVED_DAYS
        }
    assert len(wanted) > SERVED_DAYS, "days of both categories"
    for gold in golds:
        rows = gold["fct_percent_change_downloads_overall"]
        assert {(row["category"], row["date"]): row["downloads"] for row in rows} == wanted


def test_merged_pull_requests_equal_the_file(golds: tuple[Gold, Gold]) -> None:
    with gzip.open(FOLDER / "delta-io__delta.pulls_from_subjects.jsonl.gz", "rt", encoding="utf-8") as lines:
        numbers = {item["number"] for item in map(json.loads, lines) if item["number_repo"] == "delta-io/delta"}
    merged = sum(row["merged"] for row in golds[1]["fct_change_requests"] if row["repo"] == "delta-io/delta")
    assert merged == len(numbers)


def test_the_newest_commit_is_the_freshness(golds: tuple[Gold, Gold]) -> None:
    newest = max(c["commit"]["committer"]["date"] for c in commits("delta-io__delta"))
    (row,) = [r for r in golds[1]["fct_data_freshness"] if (r["source"], r["scope"]) == ("github_commits", "delta-io/delta")]
    assert f"{row['last_event_at']:%Y-%m-%dT%H:%M:%SZ}" == newest
    assert row["rows"] == 5534
    assert row["covered_from"] is None
