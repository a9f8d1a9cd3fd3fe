"""The oracle against figures worked out by hand: it judges everything else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lakepulse_simulator import Person, User, World
from lakepulse_simulator.world import DAY, epoch, person, user
from tests.truth.gold import GRAINS, Break, Known, Project, Row, differences, gold, percentile

AS_OF = date(2026, 1, 31)
"""A Saturday."""
START = epoch(date(2026, 1, 1))
ADA, BEN = person("Ada", "Ada A"), person("ben", "Ben B")
ROBOT = Person("robot", "robot@example.org", User("robot[bot]", 5, "Bot"))
PROJECTS = (Project("Acme", ("acme/lake",), ("acme-lake",)),)


@pytest.fixture
def world() -> World:
    made = World(AS_OF)
    made.add_repo("acme/lake", START)
    made.add_package("acme-lake")
    return made


def shown(world: World, as_of: date = AS_OF, **more: Any) -> dict[str, list[Row]]:
    known = Known(PROJECTS)
    known.look(world, as_of)
    return gold(known, as_of, **more)


def at(day: int, hour: float = 12) -> int:
    """A time in January 2026."""
    return START + (day - 1) * DAY + int(hour * 3600)


def only(rows: list[Row], **where: Any) -> Row:
    (found,) = [row for row in rows if all(row[key] == value for key, value in where.items())]
    return found


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


def test_people_are_joined_by_login_then_email_then_name(world: World) -> None:
    def commit(name: str, email: str, account: User | None = None) -> None:
        world.commit("acme/lake", Person(name, email, account), at=at(5))

    commit("Ada A", "Ada@Example.org", user("ADA"))
    commit("someone", "ada@example.org")  # by e-mail, whatever its case
    commit("Ada A", "other@example.org")  # by name
    commit("ada a", "")  # another name, no e-mail: a person of its own
    commit("Twin", "x@example.org", user("twin1"))
    commit("Twin", "y@example.org", user("twin2"))
    commit("Twin", "z@example.org")  # a name with two logins joins nobody
    commit("Shared", "x@example.org", user("twin2"))
    commit("Other", "x@example.org")  # an e-mail with two logins joins nobody
    rows = {r["author"]: r["num_commits"] for r in shown(world)["fct_num_author_commits_by_repo"]}
    assert rows == {"ada": 3, "ada a": 1, "twin1": 1, "twin2": 2, "Twin": 1, "Other": 1}


def test_bots_are_flagged_and_have_no_rank(world: World) -> None:
    for who, count in ((ADA, 2), (BEN, 2), (ROBOT, 9), (person("cleo"), 1), (person("seeded"), 5)):
        for _ in range(count):
            world.commit("acme/lake", who, at=at(3))
    tables = shown(world, bots=("web-flow", "seeded"))
    authors = {r["author"]: (r["is_bot"], r["rank"]) for r in tables["fct_num_author_commits_by_repo"]}
    assert authors == {
        "ada": (False, 1),
        "ben": (False, 1),
        "cleo": (False, 2),
        "robot[bot]": (True, None),
        "seeded": (True, None),
    }
    (web_flow,) = tables["fct_num_committer_commits_by_repo"]
    assert web_flow == {"repo": "acme/lake", "committer": "web-flow", "is_bot": True, "num_commits": 19, "rank": None}


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


def test_a_response_is_the_first_comment_of_a_known_person_who_did_not_ask(world: World) -> None:
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


def fill_downloads(world: World, counts: dict[int, int], category: str = "without_mirrors") -> None:
    for day, count in counts.items():
        world.set_downloads("acme-lake", "overall", date(2026, 1, 1) + timedelta(days=day - 1), category, count)


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
        # The second look asks for no day after the 29th, and so misses the correction.
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


def test_anomalies_are_robust_and_know_the_breaks(world: World) -> None:
    fill_downloads(world, {day: 100 + day % 3 for day in range(1, 30)} | {30: 900})
    rows = {r["date"].day: r for r in shown(world)["fct_download_anomalies"]}
    assert (rows[1]["median_28d"], rows[1]["robust_z"], rows[21]["robust_z"]) == (None, None, None)
    assert (rows[30]["median_28d"], rows[30]["mad_28d"]) == (101, 1)
    assert rows[30]["robust_z"] == pytest.approx(799 / 1.4826)
    assert rows[30]["is_anomaly"]
    assert not rows[29]["is_anomaly"]
    day = date(2026, 1, 30)
    for package, is_told in ((None, True), ("acme-lake", True), ("other", False)):
        broken = shown(world, breaks=[Break(package, day, day)])["fct_download_anomalies"]
        assert only(broken, date=day)["is_anomaly"] is not is_told


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


def test_downloads_are_remembered_for_ever_and_corrected(world: World) -> None:
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


def test_an_older_as_of_shows_what_was_so_then(world: World) -> None:
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


def test_differences_are_told_and_small_ones_forgiven(world: World) -> None:
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
