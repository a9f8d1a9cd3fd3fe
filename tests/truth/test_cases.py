"""Situations that people report about tools like this one, and the figures that are right there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lakepulse_simulator import Person, User, World
from lakepulse_simulator.world import DAY, epoch, person, user
from tests.truth.gold import Known, Project, gold
from tests.truth.scene import ADA, PACKAGE, REPO, authors, only, value

DAY1 = date(2026, 11, 20)
DAY2 = date(2026, 11, 21)
WEEK = date(2026, 11, 16)
PROJECT = Project("P", (REPO,), (PACKAGE,))
BARE = Project("P", (REPO,))


def at(month: int, day: int, hour: int = 10) -> int:
    """A time in 2026."""
    return epoch(date(2026, month, day)) + hour * 3600


@pytest.fixture
def world() -> World:
    made = World(DAY1)
    made.add_repo(REPO, at(1, 1, 0))
    return made


@pytest.fixture
def known() -> Known:
    return Known([BARE])


def fill(world: World, counts: dict[date, int], package: str = PACKAGE) -> None:
    """A package's downloads, a fifth more with mirrors."""
    world.add_package(package)
    for day, count in counts.items():
        world.set_downloads(package, "overall", day, "without_mirrors", count)
        world.set_downloads(package, "overall", day, "with_mirrors", count + count // 5)


def days_before(count: int, last: date = DAY1) -> list[date]:
    return [last - timedelta(days=back) for back in range(1, count + 1)]


def test_an_address_as_a_name(world: World, known: Known) -> None:
    world.commit(REPO, person("ann"), at=at(11, 2))
    world.commit(REPO, Person("jane.roe@example.org", "jane.roe@example.org"), at=at(11, 3))
    known.look(world, DAY1)
    tables = gold(known, DAY1)
    assert authors(tables) == {"ann": 1, "jane.roe": 1}
    assert "jane.roe@" not in repr(tables)


def test_an_answer_before_the_question(world: World, known: Known) -> None:
    importer, helper = user("imp"), user("helper")
    world.open_issue(REPO, "Imported", importer, at(11, 4))
    world.comment(REPO, 1, helper, at(11, 5), created_at=at(11, 2))
    world.import_issue(REPO, opener=importer, is_pull=True, at=at(11, 6), created_at=at(11, 4), merged_at=at(11, 1))
    known.look(world, DAY1)
    tables = gold(known, DAY1)
    assert {r["p50_hours"] for r in tables["fct_issue_response"]} == {None}
    assert {r["p50_days_to_merge"] for r in tables["fct_change_requests"]} == {None}
    assert tables["fct_change_requests"][0]["merged"] == 1


def test_an_archived_repository(world: World, known: Known) -> None:
    world.commit(REPO, ADA, at=at(5, 1))
    world.archive(REPO)
    known.look(world, DAY1)
    tables = gold(known, DAY1)
    assert tables["fct_project_state"][0]["state"] == "archived"
    assert value(tables, "commits_365d", week=WEEK) == (1.0, 1, "known")


def test_author_dates_out_of_range(world: World, known: Known) -> None:
    world.commit(REPO, person("ann"), at=at(11, 2))
    world.commit(REPO, person("an"), at=at(11, 3), authored_at=epoch(date(1803, 3, 21)))
    world.commit(REPO, person("fu"), at=at(11, 4), authored_at=epoch(date(2286, 11, 20)))
    known.look(world, DAY1)
    tables = gold(known, DAY1)
    assert sum(r["num_commits"] for r in tables["fct_all_time_committer_commits_trend"]) == 3
    assert sum(r["num_commits"] for r in tables["fct_all_time_author_commits_trend"]) == 1
    # It is a calendar of this year's days, not of 1803's.
    assert len(tables["fct_all_time_author_commits_trend"]) == 19


def test_a_day_that_only_mirrors_downloaded_on(world: World) -> None:
    fill(world, dict.fromkeys(days_before(60), 4))
    world.set_downloads(PACKAGE, "overall", date(2026, 11, 8), "without_mirrors", None)
    known = Known([PROJECT])
    known.look(world, DAY1)
    tables = gold(known, DAY1)
    assert value(tables, "downloads_per_day_28d", "P", WEEK) == (108 / 28, 28, "known")
    row = only(tables["fct_percent_change_downloads_overall"], category="without_mirrors", date=date(2026, 11, 10))
    assert row["downloads_7d"] == 24


@pytest.mark.parametrize("lists_pulls", [True, False])
def test_issues_that_are_switched_off(world: World, known: Known, lists_pulls: bool) -> None:
    for number, who in enumerate(("jo", "ji"), start=1):
        world.open_pull(REPO, opener=user(who), at=at(9 + number, 1))
    world.merge_pull(REPO, 1, person("jo"), at(10, 2))
    world.switch_issues(REPO, False, lists_pulls=lists_pulls)
    known.look(world, DAY1)
    tables = gold(known, DAY1)
    for name in ("open_issues", "answered_7d_share_12w", "first_response_median_hours_12w", "closed_per_opened_12w"):
        assert value(tables, name, "P", WEEK) == (None, 0, "none")
    assert value(tables, "acceptance_12w", "P", WEEK) == (1.0, 1, "known")
    assert tables["fct_project_state"][0]["flags"].words == {"issues_off"}


def test_pull_requests_merged_by_a_script(world: World, known: Known) -> None:
    for number in range(1, 6):
        world.open_pull(REPO, opener=user(f"dev{number}"), at=at(10, number, 8))
    for number in range(1, 5):
        message = f"Improve {number}\n\nCloses #{number} from dev{number}/branch."
        world.merge_by_script(REPO, number, person(f"dev{number}"), at(10, 10 + number, 8), message=message, lag=0)
    world.close_issue(REPO, 5, at(10, 15, 8))
    known.look(world, DAY1)
    row = next(r for r in gold(known, DAY1)["fct_change_requests"] if r["opened"] == 5)
    assert (row["merged"], row["closed_unmerged"], row["acceptance_ratio"], row["p50_days_to_merge"]) == (4, 1, 0.8, 10.0)


def test_a_new_package(world: World) -> None:
    fill(world, dict.fromkeys(days_before(60), 40))
    fill(world, dict.fromkeys(days_before(10), 5), "acme-new")
    world.upload(PACKAGE, "1.0", at(1, 1))
    world.upload("acme-new", "0.1", epoch(DAY1) - 10 * DAY)
    known = Known([Project("P", (), (PACKAGE, "acme-new"))])
    known.look(world, DAY1)
    mean, days, status = value(gold(known, DAY1), "downloads_per_day_28d", "P", WEEK)
    assert (mean * days, status) == (pytest.approx(1170), "known")


def test_a_quarantined_package_stops_no_other_project(world: World) -> None:
    fill(world, dict.fromkeys(days_before(60, DAY2), 40))
    for number in range(120):
        world.upload(PACKAGE, f"1.{number}", at(2, 1))
    world.commit(REPO, ADA, at=at(11, 2))
    known = Known([Project("Other", (REPO,)), Project("Q", (), (PACKAGE,))])
    known.look(world, DAY1)
    before = gold(known, DAY1)["fct_releases"]
    world.set_date(DAY2)
    world.commit(REPO, ADA, at=at(11, 21, 1))
    world.set_status(PACKAGE, "quarantined")
    known.look(world, DAY2)
    tables = gold(known, DAY2)
    assert authors(tables) == {"ada": 2}
    assert (len(before), tables["fct_releases"]) == (120, before)
    assert only(tables["fct_project_state"], project="Q")["flags"].words == {"quarantined"}
    assert value(tables, "downloads_per_day_28d", "Q", WEEK) == (40.0, 28, "known")


def test_a_version_released_in_two_places(world: World) -> None:
    world.add_package(PACKAGE)
    world.release(REPO, "v1.1.0", at=at(11, 5, 8))
    world.upload(PACKAGE, "1.1.0", at(11, 5, 9))
    known = Known([PROJECT])
    known.look(world, DAY1)
    assert value(gold(known, DAY1), "releases_365d", "P", WEEK) == (1.0, 1, "known")


def test_a_renamed_account(world: World, known: Known) -> None:
    mara, bob = Person("Mara", "mara@example.org", User("mara-old", 501)), person("bob")
    assert mara.user is not None
    for hour in (10, 11):
        world.commit(REPO, mara, at=at(6, 1, hour))
    for number in range(120):
        world.commit(REPO, bob, at=at(7, 1, 0) + number * 3600)
    world.open_issue(REPO, "Mine", mara.user, at(6, 4))
    world.comment(REPO, 1, mara.user, at(6, 4, 11))
    known.look(world, DAY1)
    world.set_date(DAY2)
    world.rename_account(mara.user, "mara-new")
    world.edit_issue(REPO, 1, labels=["question"])
    world.commit(REPO, mara, at=at(11, 21, 1))
    known.look(world, DAY2)
    tables = gold(known, DAY2)
    assert authors(tables) == {"mara-new": 3, "bob": 120}
    assert [r["author"] for r in tables["fct_first_commits"] if r["first_commit_date"] == DAY2] == []
    assert only(tables["fct_issue_response"], week=date(2026, 6, 1))["answered"] == 0
    fresh = Known([BARE])
    fresh.look(world, DAY2)
    assert gold(fresh, DAY2)["fct_people"] == tables["fct_people"]


def test_robots_whose_account_is_a_users(world: World, known: Known) -> None:
    robots = (person("acme-merge-bot"), person("openshift-merge-robot"), Person("semantic-release-bot", "b5@example.org"))
    agents = (person("cursoragent"), person("pytorchmergebot"))
    for day, who in enumerate((*robots, *agents, person("ann")), start=1):
        world.commit(REPO, who, at=at(11, day))
    known.look(world, DAY1)
    tables = gold(known, DAY1, bots=("web-flow", "cursoragent", "pytorchmergebot"))
    assert [r["author"] for r in tables["fct_num_author_commits_by_repo"] if not r["is_bot"]] == ["ann"]
    year = only(tables["fct_contributor_absence_factor"], window_days=365)
    assert (year["factor"], year["contributors"]) == (1, 1)
    assert value(tables, "bot_share_365d", "P", WEEK) == (5 / 6, 6, "known")


def test_strangers_with_one_first_name(world: World, known: Known) -> None:
    dave = Person("Dave", "dave.s@example.org", user("dave-s"))
    others = [Person("Dave", "dave@other.example"), Person("Dave", "d.jones@third.example")]
    blanks = [Person("", f"blank{number}@example.org") for number in (1, 2)]
    for day, who in enumerate((dave, *others, *blanks), start=1):
        world.commit(REPO, who, at=at(11, day))
    known.look(world, DAY1)
    assert authors(gold(known, DAY1)) == {"dave-s": 1, "Dave": 1, "Dave (2)": 1, "blank1": 1, "blank2": 1}


def test_weekends_are_no_unusual_days(world: World) -> None:
    chance = iter(range(1, 1000))
    fill(world, {day: (4_000 if day.weekday() >= 5 else 10_000) + 97 * next(chance) % 300 for day in days_before(60)})
    known = Known([PROJECT])
    known.look(world, DAY1)
    rows = [r for r in gold(known, DAY1)["fct_download_anomalies"] if r["category"] == "without_mirrors"]
    assert [r["date"] for r in rows if r["is_anomaly"]] == []
    assert any(r["robust_z"] is not None for r in rows)
