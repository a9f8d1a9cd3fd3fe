"""What a user relies on from run to run, on small data."""

from __future__ import annotations

import gzip
import random
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lakepulse_simulator import Simulator, tiny_world
from lakepulse_simulator.tiny import random_change
from lakepulse_simulator.world import person
from tests.end_to_end.conftest import FIRST_DAY
from tests.end_to_end.harness import Installation, but_the_clock, pointed_at, project_list

pytestmark = pytest.mark.end_to_end


def quota_of(printed: str) -> int:
    """Quota that the fetch of a run spent, from the line that it printed."""
    (line,) = [line for line in printed.splitlines() if line.startswith("fetch ")]
    return int(line.split(" quota")[0].split()[-1].replace(",", ""))


def test_runs_of_the_same_input_give_the_same_gold_in_any_time_zone(simulator: Simulator, tmp_path: Path) -> None:
    here, there = (pointed_at(simulator, folder) for folder in (tmp_path / "here", tmp_path / "there"))
    here.run(FIRST_DAY)
    first = here.gold(tmp_path / "first")
    assert sum(row["num_commits"] for row in first["fct_all_time_author_commits_trend"]) > 0

    again = here.run(FIRST_DAY)
    assert quota_of(again) == 0
    assert but_the_clock(here.gold(tmp_path / "again")) == but_the_clock(first)

    there.run(FIRST_DAY, TZ="Asia/Kolkata")
    assert but_the_clock(there.with_settings(TZ="Asia/Kolkata").gold(tmp_path / "kolkata")) == but_the_clock(first)


def test_a_later_run_equals_one_that_saw_everything_at_once(tmp_path: Path) -> None:
    # Without packages: a day of downloads that its source has dropped stays with who had it.
    with Simulator(tiny_world(5, FIRST_DAY, packages=())) as simulator:
        step_by_step, at_once = (pointed_at(simulator, folder) for folder in (tmp_path / "daily", tmp_path / "once"))
        step_by_step.run(FIRST_DAY)
        later = FIRST_DAY + timedelta(days=9)
        simulator.world.set_date(later)
        chance = random.Random(1)
        for _ in range(40):
            random_change(simulator.world, chance)
        step_by_step.run(later, SWEEP="1")
        at_once.run(later)
        daily, once = step_by_step.gold(tmp_path / "a"), at_once.gold(tmp_path / "b")
    # A snapshot is of the day that took it: the second folder cannot have the first day's, nor the stars that it counted.
    assert len(daily.pop("fct_all_time_base_repo_stats")) > len(once.pop("fct_all_time_base_repo_stats"))
    for gold in (daily, once):
        gold["fct_figures"] = [row for row in gold["fct_figures"] if not row["figure"].startswith("stars")]
        assert gold["fct_figures"]
    assert but_the_clock(daily) == but_the_clock(once)


def test_a_failed_run_says_why_in_one_line_and_changes_nothing(
    simulator: Simulator, installation: Installation, tmp_path: Path
) -> None:
    installation.run(FIRST_DAY)
    before = installation.gold(tmp_path / "before")
    away = installation.with_settings(GITHUB_API_URL="http://127.0.0.1:9", AS_OF=FIRST_DAY.isoformat())
    ended = away.command("workflows", "run", "daily")
    assert ended.returncode == 75
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "127.0.0.1:9" in line
    assert installation.gold(tmp_path / "after") == before


def test_a_repo_that_is_blocked_keeps_its_history_and_no_run_leaves_a_secret(
    simulator: Simulator, installation: Installation, tmp_path: Path
) -> None:
    installation.run(FIRST_DAY)
    before = installation.gold(tmp_path / "before")
    blocked, other = sorted(repo.name for repo in simulator.world.repos.values())
    simulator.world.set_gone(blocked, 451)
    later = FIRST_DAY + timedelta(days=1)
    simulator.world.set_date(later)
    simulator.world.open_issue(other, "Asked on the second day")
    simulator.faults.at_random(3, 0.1)
    ended = installation.with_settings(AS_OF=later.isoformat()).command("workflows", "run", "daily")
    assert ended.returncode == 0, ended.stderr
    after = installation.gold(tmp_path / "after")
    fresh = {row["scope"]: row for row in after["fct_data_freshness"] if row["source"] == "github_issues"}
    assert (fresh[blocked]["is_stale"], fresh[other]["is_stale"]) == (True, False)
    for table in ("fct_all_time_author_commits_trend", "fct_absence_factor_trend"):
        kept, had = ([row for row in gold[table] if row["repo"] == blocked] for gold in (after, before))
        assert had
        assert kept[: len(had)] == had
    opened = {row["date"]: row["num_opened"] for row in after["fct_all_time_issues_trend"] if row["repo"] == other}
    assert opened[later] == 1

    token = installation.settings["GITHUB_TOKEN"]
    assert len(simulator.log) > 10
    told = [ended.stdout, ended.stderr, *(entry.target for entry in simulator.log)]
    assert not any(token in text for text in told)
    left = [path for path in installation.data_dir.rglob("*") if path.is_file()]
    assert {".gz", ".parquet", ".json", ".db"} <= {path.suffix for path in left}
    assert [path for path in left if token in _text(path)] == []


def _text(path: Path) -> str:
    """What a file says, unpacked."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode(errors="replace")
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist())
    return path.read_bytes().decode(errors="replace")


def test_a_project_taken_off_the_list_leaves_gold_and_comes_back_whole(
    simulator: Simulator, installation: Installation, tmp_path: Path
) -> None:
    installation.run(FIRST_DAY)
    whole = installation.gold(tmp_path / "whole")
    kept, dropped = sorted(repo.name for repo in simulator.world.repos.values())
    fewer = project_list(tmp_path / "fewer.yaml", [kept], [])
    installation.run(FIRST_DAY, PROJECTS=str(fewer))
    left = installation.gold(tmp_path / "left")
    assert {row["repo"] for row in left["fct_all_time_author_commits_trend"]} == {kept}
    assert left["fct_percent_change_downloads_overall"] == []
    installation.run(FIRST_DAY)
    back = installation.gold(tmp_path / "back")
    assert any(row["repo"] == dropped for row in back["fct_all_time_author_commits_trend"])
    assert but_the_clock(back) == but_the_clock(whole)


def test_without_a_token_history_grows_run_by_run_and_cut_figures_are_blank(tmp_path: Path) -> None:
    with Simulator(tiny_world(3, FIRST_DAY, repos=("acme/lake",), packages=())) as simulator:
        simulator.world.commit_many("acme/lake", [person("ada", "Ada Abara")] * 260)
        simulator.rules.anonymous_limit = 7
        installation = pointed_at(simulator, tmp_path)
        installation.settings.pop("GITHUB_TOKEN")
        installation.run(FIRST_DAY)
        cut = installation.gold(tmp_path / "cut")
        assert any(row["covered_from"] is not None for row in cut["fct_data_freshness"])
        assert all(row["factor"] is None for row in cut["fct_contributor_absence_factor"] if row["window_days"] == 0)
        simulator.rules.anonymous_limit = 60
        simulator.quotas.clear()
        installation.run(FIRST_DAY)
        whole = installation.gold(tmp_path / "whole")
        assert all(row["covered_from"] is None for row in whole["fct_data_freshness"])
        lake = simulator.world.repo("acme/lake")
        assert sum(row["num_commits"] for row in whole["fct_all_time_author_commits_trend"]) == len(lake.log(lake.head))


def test_a_moved_data_folder_is_refused_by_every_command(installation: Installation, tmp_path: Path) -> None:
    installation.run(FIRST_DAY)
    installation.data_dir.rename(tmp_path / "moved")
    moved = Installation(tmp_path / "moved", installation.settings | {"AS_OF": FIRST_DAY.isoformat()})
    for command in (["workflows", "run", "daily"], ["lakepulse_fetch"], ["spark_apps.load"], ["lakepulse_dbt", "export", "x"]):
        ended = moved.command(*command)
        assert ended.returncode == 1, command
        assert "was moved from" in ended.stderr, command
        assert ended.stderr.count("\n") == 1, command


def test_what_was_built_is_taken_elsewhere_without_saying_of_what_kind_it_is(
    installation: Installation, tmp_path: Path
) -> None:
    installation.run(FIRST_DAY)
    for target, told in (("export", "manifest.json"), ("site", "site.json"), ("lake", "lake.json")):
        ended = installation.make(target, OUT=str(tmp_path / target))
        assert ended.returncode == 0, ended.stderr
        assert '"is_demo": true' in (tmp_path / target / told).read_text(encoding="utf-8")
    ended = installation.make("digest")
    assert ended.returncode == 0, ended.stderr
    assert "Demo data" in ended.stdout


def test_a_date_after_today_is_refused(installation: Installation) -> None:
    ended = installation.with_settings(AS_OF=date(2999, 1, 1).isoformat()).command("workflows", "run", "daily")
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: AS_OF: ")
    assert not installation.data_dir.exists()


def test_an_api_that_moved_to_another_address_is_gone_on_with(tmp_path: Path) -> None:
    with Simulator(tiny_world(7, FIRST_DAY)) as simulator:
        installation = pointed_at(simulator, tmp_path)
        installation.run(FIRST_DAY)
        first = installation.gold(tmp_path / "first")
    with Simulator(tiny_world(7, FIRST_DAY)) as simulator:
        moved = pointed_at(simulator, tmp_path)
        assert moved.settings["GITHUB_API_URL"] != installation.settings["GITHUB_API_URL"]
        moved.run(FIRST_DAY)
        assert but_the_clock(moved.gold(tmp_path / "second")) == but_the_clock(first)
