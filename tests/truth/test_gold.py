"""The oracle against figures worked out by hand: it judges everything else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from lakepulse_simulator import World
from lakepulse_simulator.world import DAY, Person, person, user
from tests.truth.compare import Text
from tests.truth.gold import GRAINS, Break, Known, counted, differences, gold, percentile
from tests.truth.scene import (
    ADA,
    AS_OF,
    BEN,
    PACKAGE,
    PROJECTS,
    REPO,
    ROBOT,
    START,
    at,
    fill_downloads,
    january,
    new_world,
    only,
    shown,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world() -> World:
    return new_world()


def test_percentiles_are_nearest_rank() -> None:
    assert percentile([], 50) is None
    assert percentile([4, 1, 3, 2], 50) == 2
    assert percentile([5, 1, 2, 3, 4], 50) == 3
    # 15 % of 20 is 3 exactly, and 85 % of 20 is 17.
    assert (percentile(range(1, 21), 15), percentile(range(1, 21), 85)) == (3, 17)
    assert (percentile([7], 15), percentile(range(1, 101), 15)) == (7, 15)


def test_absence_factor_of_the_chaoss_example(world: World) -> None:
    for number, count in enumerate((1000, 202, 90, 33, 332, 343, 42, 433)):
        who = person(f"p{number}")
        for _ in range(count):
            world.commit("acme/lake", who, at=at(31, number))
    rows = shown(world)["fct_contributor_absence_factor"]
    assert only(rows, window_days=0) == {"repo": "acme/lake", "window_days": 0, "factor": 2, "contributors": 8, "commits": 2475}


def test_absence_windows_end_with_as_of_and_leave_bots_out(world: World) -> None:
    world.commit("acme/lake", ADA, at=at(1, 23.9))
    world.commit("acme/lake", BEN, at=at(2, 0))
    world.commit("acme/lake", ROBOT, at=at(20))
    rows = shown(world)["fct_contributor_absence_factor"]
    assert [(r["window_days"], r["factor"], r["commits"]) for r in rows] == [(30, 1, 1), (90, 1, 2), (365, 1, 2), (0, 1, 2)]
    assert [(r["factor"], r["commits"]) for r in shown(without_commits())["fct_contributor_absence_factor"]] == [(None, 0)] * 4


def without_commits() -> World:
    made = World(AS_OF)
    made.add_repo("acme/lake", START)
    return made


def test_calendars_have_no_holes_and_end_with_as_of(world: World) -> None:
    world.commit("acme/lake", ADA, at=at(29), authored_at=at(27))
    world.commit("acme/lake", ADA, at=at(29))
    world.commit("acme/lake", ADA, at=at(40))  # after the end of as_of: a wrong clock
    world.commit("acme/lake", ADA, at=at(31, 23.99))
    tables = shown(world)
    authored = [(r["commit_author_date"].day, r["num_commits"]) for r in tables["fct_all_time_author_commits_trend"]]
    committed = [(r["commit_committer_date"].day, r["num_commits"]) for r in tables["fct_all_time_committer_commits_trend"]]
    assert authored == [(27, 1), (28, 0), (29, 1), (30, 0), (31, 1)]
    assert committed == [(29, 2), (30, 0), (31, 1)]


@pytest.mark.parametrize(
    ("authored_at", "text"), [(0, None), (DAY - 1, None), (-5_000_000_000, None), (at(32, 0), None), (at(3), "no date")]
)
def test_an_impossible_author_date_leaves_the_committer_date(world: World, authored_at: int, text: str | None) -> None:
    world.commit(REPO, ADA, at=at(5), committer=ADA)
    world.commit(REPO, BEN, at=at(6), authored_at=authored_at, authored_text=text, committer=BEN)
    tables = shown(world)
    assert sum(r["num_commits"] for r in tables["fct_all_time_committer_commits_trend"]) == 2
    assert min(r["commit_author_date"] for r in tables["fct_all_time_author_commits_trend"]) == january(5)
    assert sum(r["num_commits"] for r in tables["fct_all_time_author_commits_trend"]) == 1
    assert {r["committer"] for r in tables["fct_num_committer_commits_by_repo"]} == {"ada", "ben"}
    assert [r["author"] for r in tables["fct_first_commits"]] == ["ada"]
    assert [r["person"] for r in tables["fct_people"] if r["scope_kind"] == "repo"] == ["ada"] * 3


def test_an_impossible_committer_date_leaves_the_author_date(world: World) -> None:
    world.commit(REPO, ADA, at=at(5), authored_at=at(4), committed_text="never")
    world.commit(REPO, BEN, at=at(500), authored_at=at(6))
    tables = shown(world)
    assert sum(r["num_commits"] for r in tables["fct_all_time_author_commits_trend"]) == 2
    assert tables["fct_all_time_committer_commits_trend"] == []


def test_trends_tell_bots_from_people(world: World) -> None:
    for who in (ADA, ROBOT, ROBOT, Person("", "")):
        world.commit(REPO, who, at=at(31), committer=who)
    tables = shown(world)
    for table in ("fct_all_time_author_commits_trend", "fct_all_time_committer_commits_trend"):
        # By nobody known is not by a bot.
        assert [(r["num_commits"], r["num_commits_by_people"]) for r in tables[table]] == [(4, 2)]


def test_contributors_by_month(world: World) -> None:
    for who, day in ((ADA, -60), (BEN, -60), (ROBOT, -60), (ADA, -25), (ADA, 2), (person("cleo"), 3)):
        world.commit("acme/lake", who, at=at(day))
    tables = shown(world)
    rows = [tuple(r.values())[1:] for r in tables["fct_contributors"]]
    assert rows == [
        (date(2025, 11, 1), 2, 2, 0, 0),
        (date(2025, 12, 1), 1, 0, 1, 1),
        (date(2026, 1, 1), 2, 1, 1, 0),
    ]
    first = {r["author"]: r["first_commit_date"] for r in tables["fct_first_commits"]}
    assert first == {"ada": date(2025, 11, 1), "ben": date(2025, 11, 1), "cleo": date(2026, 1, 3)}


def test_issues_by_day_with_a_reopened_one(world: World) -> None:
    for day in (20, 20, 29):
        world.open_issue("acme/lake", opener=ADA.user, at=at(day))
    world.open_pull("acme/lake", at=at(10))
    world.close_issue("acme/lake", 1, at(21))
    world.close_issue("acme/lake", 2, at(22))
    world.reopen_issue("acme/lake", 2, at(23))
    tables = shown(world)
    trend = {r["date"].day: (r["num_opened"], r["num_closed"], r["num_open"]) for r in tables["fct_all_time_issues_trend"]}
    assert [trend[day] for day in (20, 21, 22, 28, 29, 31)] == [
        (2, 0, 2),
        (0, 1, 1),
        (0, 0, 1),
        (0, 0, 1),
        (1, 0, 2),
        (0, 0, 2),
    ]
    assert min(trend) == 20
    weekly = {r["date"].day: r["issues_last_7_days"] for r in tables["fct_last_7_days_fct_issues"]}
    assert [weekly[day] for day in (20, 26, 27, 29, 31)] == [2, 2, 0, 1, 1]
    assert {(r["num_days"], r["num_issues"]) for r in tables["fct_num_updated_issues"]} == {(0, 1), (1, 1), (3, 1)}


def test_labels_are_exact_and_ranked_densely(world: World) -> None:
    for labels in (["bug", "Bug"], ["bug", ""], ["Bug"], ["rare"], []):
        world.open_issue("acme/lake", labels=labels, at=at(3))
    world.open_pull("acme/lake", labels=["bug"], at=at(3))
    rows = {r["label"]: (r["num_issues"], r["rank"]) for r in shown(world)["fct_num_labels_per_repo"]}
    assert rows == {"bug": (2, 1), "Bug": (2, 1), "rare": (1, 2)}


def test_a_response_is_the_first_comment_of_a_known_person_other_than_the_author(world: World) -> None:
    opener = user("Ada")
    for _ in range(3):
        world.open_issue("acme/lake", "Q", opener, at(26, 0))  # Monday
    world.comment("acme/lake", 1, user("ADA"), at(26, 1))
    world.comment("acme/lake", 1, ROBOT.user, at(26, 2))
    world.comment("acme/lake", 1, None, at(26, 3))
    world.comment("acme/lake", 1, BEN.user, at(26, 5))
    world.comment("acme/lake", 1, user("eve"), at(26, 4))
    world.comment("acme/lake", 2, BEN.user, at(26, 8))
    world.comment("acme/lake", 3, ROBOT.user, at(26, 8))
    tables = shown(world)
    assert tables["fct_issue_response"] == [
        {
            "repo": "acme/lake",
            "week": date(2026, 1, 26),
            "issues_opened": 3,
            "answered": 2,
            "unanswered": 1,
            "p15_hours": 4.0,
            "p50_hours": 4.0,
            "p85_hours": 8.0,
        }
    ]
    (row,) = tables["fct_unanswered_issues"]
    assert (row["number"], row["author"], row["comments"], row["age_days"]) == (3, "ada", 1, 6.0)
    assert row["url"] == "https://github.com/acme/lake/issues/3"
    assert row["created_at"] == datetime.fromisoformat("2026-01-26")


def test_imported_issues_count_and_are_not_judged(world: World) -> None:
    world.open_issue(REPO, "In order", ADA.user, at(26, 0))
    world.comment(REPO, 1, BEN.user, at(26, 2))
    for created in (START - 1, START):
        world.import_issue(REPO, opener=ADA.user, at=at(27), created_at=created, closed_at=created + DAY)
    world.import_issue(REPO, "Old and open", ADA.user, at(27), created_at=at(-2))
    world.import_issue(REPO, "Old and answered", ADA.user, at(27), created_at=at(-2), comments=[(BEN.user, at(1))])
    tables = shown(world)
    response = {
        r["week"]: (r["issues_opened"], r["answered"], r["unanswered"], r["p50_hours"]) for r in tables["fct_issue_response"]
    }
    # The week of 29 December has three that are older than the repository, and one of its first second.
    assert response[date(2025, 12, 29)] == (4, 0, 1, None)
    assert response[date(2026, 1, 26)] == (1, 1, 0, 2.0)
    assert tables["fct_unanswered_issues"] == []
    resolution = {r["week"]: (r["issues_closed"], r["p50_days"]) for r in tables["fct_issue_resolution"]}
    assert resolution[date(2025, 12, 29)] == (2, 1.0)
    assert tables["fct_issue_backlog"][-1]["open_at_end"] == 3
    assert sum(r["num_opened"] for r in tables["fct_all_time_issues_trend"]) == 5


def test_an_answer_before_the_question_is_no_answer_and_no_lack_of_one(world: World) -> None:
    world.open_issue(REPO, "Odd", ADA.user, at(27))
    world.comment(REPO, 1, BEN.user, at(28), created_at=at(26))
    world.comment(REPO, 1, BEN.user, at(29))
    tables = shown(world)
    (row,) = tables["fct_issue_response"]
    assert (row["issues_opened"], row["answered"], row["unanswered"], row["p50_hours"]) == (1, 0, 0, None)
    assert tables["fct_unanswered_issues"] == []


def test_times_below_zero_are_in_no_duration_and_in_every_count(world: World) -> None:
    world.open_issue(REPO, at=at(27))
    world.close_issue(REPO, 1, at(20))
    world.open_pull(REPO, at=at(27))
    world.merge_pull(REPO, 2, ADA, at(20))
    tables = shown(world)
    assert [(r["issues_closed"], r["p50_days"]) for r in tables["fct_issue_resolution"]] == [(1, None), (0, None)]
    (row,) = tables["fct_change_requests"]
    assert (row["opened"], row["merged"], row["acceptance_ratio"], row["p50_days_to_merge"]) == (1, 1, 1.0, None)
    trend = tables["fct_all_time_issues_trend"]
    # The closing is the first event that the table counts.
    assert (trend[0]["date"], trend[0]["num_closed"], trend[0]["num_open"]) == (january(20), 1, 0)
    assert {r["num_open"] for r in trend} == {0}
    assert [r["week"] for r in tables["fct_issue_backlog"]] == [date(2026, 1, 19), date(2026, 1, 26)]


@pytest.mark.parametrize("lists_pulls", [True, False])
def test_issues_that_are_switched_off_leave_the_tables_of_issues_and_no_other(world: World, lists_pulls: bool) -> None:
    world.open_issue(REPO, "Was here", ADA.user, at(3), labels=["bug"])
    world.open_pull(REPO, at=at(4))
    known = Known(PROJECTS)
    known.look(world, AS_OF)
    world.switch_issues(REPO, False, lists_pulls=lists_pulls)
    world.merge_pull(REPO, 2, ADA, at(5))
    known.look(world, AS_OF, sweep=True)
    tables = gold(known, AS_OF)
    for table in (
        "fct_all_time_issues_trend",
        "fct_last_7_days_fct_issues",
        "fct_num_labels_per_repo",
        "fct_num_updated_issues",
        "fct_issue_response",
        "fct_issue_resolution",
        "fct_issue_backlog",
        "fct_unanswered_issues",
    ):
        assert tables[table] == [], table
    assert tables["fct_change_requests"][0]["merged"] == 1
    world.switch_issues(REPO, True)
    known.look(world, AS_OF)
    assert gold(known, AS_OF)["fct_unanswered_issues"][0]["title"] == "Was here"


def test_resolution_and_backlog_by_week(world: World) -> None:
    world.open_issue("acme/lake", at=at(5, 0))  # Monday
    world.open_issue("acme/lake", at=at(13, 0))
    world.open_issue("acme/lake", at=at(13, 0))
    world.close_issue("acme/lake", 1, at(15, 0))
    world.close_issue("acme/lake", 2, at(26, 0))
    tables = shown(world)
    resolution = [(r["week"].day, r["issues_closed"], r["p50_days"]) for r in tables["fct_issue_resolution"]]
    assert resolution == [(12, 1, 10.0), (19, 0, None), (26, 1, 13.0)]
    backlog = [tuple(r.values())[1:] for r in tables["fct_issue_backlog"]]
    assert backlog == [
        (date(2026, 1, 5), 1, 0, 0.0, 1, 7.0),
        (date(2026, 1, 12), 3, 1, 1 / 3, 2, 6.0),
        (date(2026, 1, 19), 3, 1, 1 / 3, 2, 13.0),
        # This week runs: it ends with as_of, a Saturday.
        (date(2026, 1, 26), 3, 2, 2 / 3, 1, 19.0),
    ]


def test_an_eight_week_backlog_forgets(world: World) -> None:
    world.open_issue("acme/lake", at=at(31) - 56 * DAY)  # the Saturday of the week nine weeks before
    rows = shown(world)["fct_issue_backlog"]
    assert [(r["opened_8w"], r["backlog_index"]) for r in rows[-2:]] == [(1, 0.0), (0, None)]


def test_change_requests_by_month(world: World) -> None:
    for day in (-10, 2, 3, 4, 5):
        world.open_pull("acme/lake", at=at(day, 0))
    world.merge_pull("acme/lake", 2, ADA, at(4, 0))
    world.merge_pull("acme/lake", 3, ADA, at(9, 0))
    world.close_issue("acme/lake", 4, at(6))
    rows = [tuple(r.values())[1:] for r in shown(world)["fct_change_requests"]]
    assert rows == [(date(2025, 12, 1), 1, 0, 0, 1, None, None), (date(2026, 1, 1), 4, 2, 1, 1, 2 / 3, 2.0)]


def test_open_pull_requests_are_listed_until_they_end(world: World) -> None:
    for day in (2, 3, 4):
        world.open_pull(REPO, "Add", ADA.user, at(day, 0))
    world.merge_pull(REPO, 1, ADA, at(5, 0))
    world.close_issue(REPO, 2, at(6))
    (row,) = shown(world)["fct_open_change_requests"]
    assert (row["repo"], row["number"], row["is_bot"]) == (REPO, 3, False)
    assert row["age_days"] == (AS_OF - january(4)).days + 1
    assert row["url"] == f"https://github.com/{REPO}/pull/3"
    # On an earlier day, what ended later was open.
    assert [row["number"] for row in shown(world, january(5))["fct_open_change_requests"]] == [2, 3]


MESSAGES = (
    ("Change\n\nCloses #{} from ada/work.", True),
    ("fix: #{}", True),
    ("FIXES #{}", True),
    ("Change\n\nresolved #{}, at last", True),
    ("Change (#{})", True),
    ("Change (#{})  \n\nBody", True),
    ("Change\n\nBody (#{})", False),
    ('Revert "Change (#{})"', False),
    ("See #{}", False),
    ("Encloses #{}", False),
    ("Closes #{}0", False),
    ("Closes acme/pond#{}", False),
    ("Closing #{}", False),
)


@pytest.mark.parametrize(("message", "is_merged"), MESSAGES)
def test_a_commit_that_says_so_merges_a_closed_pull_request(world: World, message: str, is_merged: bool) -> None:
    world.open_pull(REPO, at=at(3, 0))
    world.merge_by_script(REPO, 1, BEN, at(5, 0), message=message.format(1), lag=0)
    (row,) = shown(world)["fct_change_requests"]
    assert (row["merged"], row["closed_unmerged"]) == (int(is_merged), 1 - is_merged)
    assert row["p50_days_to_merge"] == (2.0 if is_merged else None)


@pytest.mark.parametrize(
    ("committed", "is_merged"),
    [(at(20, 0) + DAY, True), (at(20, 0) + DAY + 1, False), (at(-10, 0), True), (at(-10, 0) - 1, False)],
)
def test_the_commit_is_of_30_days_before_to_a_day_after_the_closing(world: World, committed: int, is_merged: bool) -> None:
    world.open_pull(REPO, at=at(3, 0))
    world.commit(REPO, BEN, "Closes #1", committed)
    world.close_issue(REPO, 1, at(20, 0))
    (row,) = shown(world)["fct_change_requests"]
    assert row["merged"] == is_merged
    # It is merged at its closing, whenever it was committed.
    assert row["p50_days_to_merge"] == (17.0 if is_merged else None)


def test_an_open_pull_request_and_one_of_an_unreachable_commit_are_not_merged(world: World) -> None:
    world.open_pull(REPO, at=at(3))
    world.commit(REPO, ADA, "First", at(2))
    world.commit(REPO, BEN, "Closes #1", at(4))
    (row,) = shown(world)["fct_change_requests"]
    assert (row["merged"], row["still_open"]) == (0, 1)
    world.close_issue(REPO, 1, at(5))
    assert shown(world)["fct_change_requests"][0]["merged"] == 1
    assert shown(world, january(4))["fct_change_requests"][0]["still_open"] == 1
    world.force_push(REPO, at=at(6))
    assert shown(world)["fct_change_requests"][0]["merged"] == 0


def test_imported_pull_requests_have_no_part_in_merge_times(world: World) -> None:
    world.import_issue(REPO, is_pull=True, at=at(27), created_at=at(-2, 0), merged_at=at(3, 0))
    december, january = shown(world)["fct_change_requests"]
    assert (december["merged"], december["acceptance_ratio"], december["p50_days_to_merge"]) == (1, 1.0, None)
    assert january["opened"] == 0


def test_releases_count_from_the_latest_earlier_final_one(world: World) -> None:
    world.release("acme/lake", "v1", at=at(1, 0))
    world.release("acme/lake", "v2-rc", at=at(11, 0), prerelease=True)
    world.release("acme/lake", "v2", at=at(21, 0))
    world.release("acme/lake", "draft", at=at(22), draft=True)
    world.upload("acme-lake", "1.0", at(1))
    world.upload("acme-lake", "1.1", at(2))
    world.yank("acme-lake", "1.1")
    world.package("acme-lake").files["acme_lake-1.0.tar.gz"].yanked = True
    rows = shown(world)["fct_releases"]
    github = [(r["name"], r["is_prerelease"], r["days_since_previous"]) for r in rows if r["source"] == "github"]
    assert github == [("v1", False, None), ("v2-rc", True, 10.0), ("v2", False, 20.0)]
    pypi = [(r["name"], r["is_yanked"], r["released_at"].date()) for r in rows if r["source"] == "pypi"]
    assert pypi == [("1.0", False, date(2026, 1, 1)), ("1.1", True, date(2026, 1, 2))]


def test_percent_changes_need_their_days(world: World) -> None:
    fill_downloads(world, dict.fromkeys(range(1, 8), 10) | dict.fromkeys(range(8, 15), 20) | {16: 0, 17: 5, 18: 10})
    rows = {r["date"].day: r for r in shown(world)["fct_percent_change_downloads_overall"]}
    assert sorted(rows) == [*range(1, 15), 16, 17, 18]
    assert [rows[day]["percent_change_1d"] for day in (1, 8, 9, 16, 17, 18)] == [None, 100.0, 0.0, None, None, 100.0]
    assert [rows[day]["downloads_7d"] for day in (6, 7, 14, 16)] == [None, 70, 140, None]
    assert [rows[day]["percent_change_7d"] for day in (13, 14)] == [None, 100.0]


def test_shares_and_the_category_null(world: World) -> None:
    day = date(2026, 1, 30)
    for category, count in (("3.12", 3), ("null", 1)):
        world.set_downloads("acme-lake", "python_minor", day, category, count)
    world.set_downloads("acme-lake", "system", day, "Linux", 0)
    tables = shown(world)
    assert {r["python_minor"]: r["share"] for r in tables["fct_downloads_by_python"]} == {"3.12": 0.75, "unknown": 0.25}
    assert [r["share"] for r in tables["fct_downloads_by_system"]] == [None]


def test_shares_by_version_are_of_whole_days_before_the_run(world: World) -> None:
    world.upload("acme-lake", "1.0", at(1))
    fill_downloads(world, {30: 5, 31: 6})
    known = Known(PROJECTS)
    for as_of in (AS_OF, AS_OF - timedelta(days=1)):
        known.look(world, as_of)
        (row,) = gold(known, AS_OF)["fct_downloads_by_version"]
        assert row == {"package": "acme-lake", "date": date(2026, 1, 30), "version": "1.0", "downloads": 5, "share": 1.0}
        # The second look fetches no day after the 29th, and so misses the correction.
        fill_downloads(world, {30: 7})


def test_uplift_takes_seven_whole_days_on_each_side(world: World) -> None:
    fill_downloads(world, dict.fromkeys(range(1, 9), 10) | dict.fromkeys(range(9, 17), 15))
    world.upload("acme-lake", "2.0", at(9))
    world.upload("acme-lake", "2.1rc1", at(9))
    world.upload("acme-lake", "2.1", at(12))
    rows = {r["version"]: tuple(r.values())[3:] for r in shown(world)["fct_release_uplift"]}
    assert rows["2.0"] == (70, 105, 50.0)
    assert rows["2.1"] == (85, None, None)
    assert len(rows) == 2


def test_anomalies_are_judged_by_the_same_weekday(world: World) -> None:
    # Fridays: 30 January and the eight before it, of which that of 2 January is missing.
    fridays = {30 - 7 * weeks: count for weeks, count in enumerate((900, 101, 99, 103, None, 98, 101, 100, 104)) if count}
    fill_downloads(world, fridays | {29: 900, 22: 5})
    rows = {r["date"]: r for r in shown(world)["fct_download_anomalies"]}
    friday = rows[january(30)]
    # 98 99 100 101 101 103 104: the median is 101, and the deviations are 0 0 1 2 2 3 3.
    assert (friday["expected"], friday["spread"]) == (101, 2)
    assert friday["robust_z"] == pytest.approx(799 / (1.4826 * 2))
    assert friday["is_anomaly"]
    # A Thursday with one Thursday before it: too few for a score.
    assert (rows[january(29)]["expected"], rows[january(29)]["spread"], rows[january(29)]["robust_z"]) == (5, 0, None)
    assert rows[january(30 - 56)]["expected"] is None


def test_a_score_needs_five_days_and_an_anomaly_a_quarter(world: World) -> None:
    fill_downloads(world, {30 - 7 * weeks: 1000 + weeks for weeks in range(1, 6)} | {30: 1200, 31: 9})
    row = only(shown(world)["fct_download_anomalies"], date=january(30))
    assert (row["expected"], row["spread"]) == (1003, 1)
    assert row["robust_z"] == pytest.approx(197 / 1.4826)
    assert not row["is_anomaly"]
    fill_downloads(world, {30: 1254})
    assert only(shown(world)["fct_download_anomalies"], date=january(30))["is_anomaly"]
    world.set_downloads(PACKAGE, "overall", january(23), "without_mirrors", None)
    assert only(shown(world)["fct_download_anomalies"], date=january(30))["robust_z"] is None


def test_a_known_break_within_56_days_is_no_anomaly(world: World) -> None:
    fill_downloads(world, {30 - 7 * weeks: 100 + weeks % 3 for weeks in range(1, 9)} | {30: 900})
    for package, first, last, is_excused in (
        (None, 30, 30, True),
        (PACKAGE, 30, 30, True),
        ("other", 30, 30, False),
        (None, 30 - 56, 30 - 56, True),
        (None, 30 - 57, 30 - 57, False),
        (None, 30 - 80, 30 - 56, True),
        (None, 31, 40, False),
    ):
        rows = shown(world, breaks=[Break(package, january(first), january(last))])["fct_download_anomalies"]
        assert only(rows, date=january(30))["is_anomaly"] is not is_excused, (package, first, last)


def test_a_day_of_mirrors_alone_is_zero_without_them(world: World) -> None:
    fill_downloads(world, dict.fromkeys(range(1, 8), 4))
    fill_downloads(world, dict.fromkeys(range(1, 9), 5), "with_mirrors")
    world.set_downloads(PACKAGE, "overall", january(9), "without_mirrors", 4)
    rows = shown(world)["fct_percent_change_downloads_overall"]
    without = {r["date"].day: r for r in rows if r["category"] == "without_mirrors"}
    assert (without[8]["downloads"], without[8]["percent_change_1d"], without[8]["downloads_7d"]) == (0, -100.0, 24)
    assert (without[9]["downloads"], without[9]["percent_change_1d"]) == (4, None)
    assert {r["date"].day for r in rows if r["category"] == "with_mirrors"} == set(range(1, 9))


def test_a_look_keeps_what_is_lost_until_a_sweep(world: World) -> None:
    world.open_issue("acme/lake", "stays", at=at(3))
    world.open_issue("acme/lake", "goes", BEN.user, at=at(3))
    comment = world.comment("acme/lake", 1, BEN.user, at(4))
    world.commit("acme/lake", ADA, at=at(3))
    world.commit("acme/lake", BEN, at=at(4))
    world.release("acme/lake", "v1", at=at(5))
    known = Known(PROJECTS)
    known.look(world, AS_OF)
    world.delete_issue("acme/lake", 2)
    world.delete_comment("acme/lake", comment.id)
    world.delete_release("acme/lake", next(iter(world.repo("acme/lake").releases)))
    world.force_push("acme/lake")
    world.rename_repo("acme/lake", "acme/ocean")
    known.look(world, AS_OF)
    before = gold(known, AS_OF)
    assert {r["number"] for r in before["fct_unanswered_issues"]} == {2}
    assert [r["author"] for r in before["fct_num_author_commits_by_repo"]] == ["ada"]
    assert before["fct_releases"] == []
    known.look(world, AS_OF, sweep=True)
    after = gold(known, AS_OF)
    assert [(r["number"], r["url"]) for r in after["fct_unanswered_issues"]] == [(1, "https://github.com/acme/ocean/issues/1")]
    world.set_gone("acme/lake", 451)
    known.look(world, AS_OF, sweep=True)
    assert gold(known, AS_OF) == after


def test_downloads_are_kept_for_ever_and_corrected(world: World) -> None:
    fill_downloads(world, {1: 5, 2: 6})
    known = Known(PROJECTS)
    known.look(world, AS_OF)
    fill_downloads(world, {2: 7})
    world.remove_download_day("acme-lake", date(2026, 1, 1))
    later = AS_OF + timedelta(days=40)
    world.set_date(later)
    known.look(world, later)
    rows = gold(known, later)["fct_percent_change_downloads_overall"]
    assert [(r["date"].day, r["downloads"]) for r in rows] == [(1, 5), (2, 7)]
    assert len(gold(known, later)["fct_all_time_base_repo_stats"]) == 2
    known.look(world, AS_OF)
    assert len(gold(known, later)["fct_all_time_base_repo_stats"]) == 2


def test_an_older_as_of_shows_the_state_of_its_day(world: World) -> None:
    world.open_issue("acme/lake", at=at(3))
    world.open_issue("acme/lake", at=at(20))
    world.close_issue("acme/lake", 1, at(20))
    tables = shown(world, date(2026, 1, 10))
    assert tables["fct_all_time_issues_trend"][-1] == {
        "repo": "acme/lake",
        "date": date(2026, 1, 10),
        "num_opened": 0,
        "num_closed": 0,
        "num_open": 1,
    }
    assert [r["number"] for r in tables["fct_unanswered_issues"]] == [1]
    assert tables["fct_issue_resolution"] == []


def test_only_listed_names_are_shown(world: World) -> None:
    world.add_repo("acme/pond")
    tables = shown(world)
    assert {r["repo"] for r in tables["fct_all_time_base_repo_stats"]} == {"acme/lake"}
    assert tables["dim_projects"] == [
        {"project": "Acme", "kind": "repo", "name": "acme/lake"},
        {"project": "Acme", "kind": "package", "name": "acme-lake"},
    ]
    assert tables.keys() == GRAINS.keys()


def test_the_oracle_leaves_out_no_gold_table() -> None:
    models = {path.stem for path in (ROOT / "dbt" / "models" / "gold").glob("*.sql")}
    assert models - GRAINS.keys() == {
        "fct_known_breaks",  # the seed
        "fct_data_freshness",  # these two show the clock, and what fetch and load did
        "fct_data_quality",
        "fct_news",  # sentences about figures
    }


def test_differences_are_reported_and_small_ones_forgiven(world: World) -> None:
    world.open_issue("acme/lake", at=at(5))
    world.open_issue("acme/lake", at=at(12))
    wanted = shown(world)
    assert differences(wanted, shown(world)) == []
    nearly = shown(world)
    nearly["fct_issue_backlog"][0]["median_age_days"] *= 1 + 1e-9
    assert differences(wanted, nearly) == []
    wrong = shown(world)
    wrong["fct_issue_backlog"][0]["median_age_days"] *= 1.001
    wrong["fct_unanswered_issues"].pop()
    wrong["dim_projects"].append({"project": "X", "kind": "repo", "name": "x/y"})
    wrong["fct_num_updated_issues"] *= 2
    del wrong["fct_releases"]
    told = "\n".join(differences(wanted, wrong))
    for part in (
        "median_age_days is",
        "fct_unanswered_issues: missing row",
        "surplus row ('X'",
        "share a grain",
        "fct_releases: missing",
    ):
        assert part in told


def test_words_for_people_are_compared_by_what_they_name(world: World) -> None:
    world.commit(REPO, ADA, at=at(20))
    wanted = shown(world)
    given = shown(world)
    given["fct_figures"] = [dict(row, reason="") for row in given["fct_figures"] if row["scope"] != "Acme"]
    told = "\n".join(differences(wanted, given, limit=1000))
    assert "('project', 'Acme', 'stars', datetime.date(2026, 1, 26))" in told
    assert "('repo', 'acme/lake', 'stars_gained_28d', datetime.date(2026, 1, 26)): reason is ''" in told
    assert "('repo', 'acme/lake', 'commits_28d'" not in told
    partial = Text(names=("27 of 28", "acme/pond"))
    assert partial.accepts("Without acme/pond: not found; 27 of 28 days")
    assert not partial.accepts("27 of 28 days")
    assert not partial.accepts(None)
    assert Text(is_present=False).accepts("")
    assert not Text(is_present=False).accepts("why")


def test_rows_are_counted(world: World) -> None:
    world.open_issue(REPO, at=at(5))
    world.open_issue(REPO, at=at(12))
    wanted = shown(world)
    due = sum(map(len, wanted.values()))
    assert counted(wanted, shown(world)) == (due, 0, 0)
    wrong = shown(world)
    wrong["fct_unanswered_issues"].pop()
    wrong["fct_issue_backlog"][0]["open_at_end"] += 1
    wrong["dim_projects"] *= 2
    assert counted(wanted, wrong) == (due, 2, 2)
