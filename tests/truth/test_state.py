"""How a project is, by hand."""

from __future__ import annotations

from datetime import date

import pytest

from lakepulse_simulator import Person, World
from lakepulse_simulator.world import DAY, epoch, person
from tests.truth.compare import Text
from tests.truth.gold import Project, Row
from tests.truth.scene import ADA, AS_OF, BEN, PACKAGE, PAIR, POND, PROJECTS, REPO, ROBOT, at, new_world, shown

OLD = epoch(date(2022, 1, 1))


@pytest.fixture
def world() -> World:
    return new_world(OLD)


def row(world: World, projects: tuple[Project, ...] = PROJECTS) -> Row:
    (found,) = shown(world, projects=projects)["fct_project_state"]
    return found


def commit_in_windows(world: World, *counts: int) -> None:
    """Commits in the windows of 90 days that end with `as_of`, 90, 180, ... days earlier."""
    for number, count in enumerate(counts):
        for _ in range(count):
            world.commit(REPO, ADA, at=epoch(AS_OF) - number * 90 * DAY)


def test_archived_is_what_every_repository_is(world: World) -> None:
    world.add_repo(POND, OLD)
    world.commit(REPO, ADA, at=at(20))
    world.archive(REPO)
    assert row(world, PAIR)["state"] == "active"
    world.archive(POND)
    assert row(world, PAIR)["state"] == "archived"
    world.archive(REPO, is_archived=False)
    world.set_gone(REPO)
    # Of the one that was never found nothing is known.
    assert row(world, PAIR)["state"] == "archived"


def test_quiet_is_90_days_without_a_commit_by_a_person(world: World) -> None:
    world.commit(REPO, ADA, at=at(31, 23) - 90 * DAY)
    world.commit(REPO, ROBOT, at=at(20))
    assert row(world)["state"] == "quiet"
    world.commit(REPO, Person("", ""), at=at(31, 1) - 89 * DAY)
    assert row(world)["state"] == "active"


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        # Before it 10 and 20 and so on: nearest rank of eight is the fourth.
        ((4, 10, 9, 11, 12, 8, 13, 7, 14), "slowing"),
        ((5, 10, 9, 11, 12, 8, 13, 7, 14), "active"),
        # Four windows begin on or after the first commit's day: 10, and then 9 of it is the median of 8 9 10 11.
        ((4, 8, 9, 10, 11, 1), "slowing"),
        ((4, 8, 9, 11), "active"),  # three are too few
    ],
)
def test_slowing_is_less_than_half_of_the_usual_90_days(world: World, counts: tuple[int, ...], state: str) -> None:
    commit_in_windows(world, *counts)
    assert row(world)["state"] == state


def test_a_window_counts_if_it_begins_on_the_day_of_the_first_commit(world: World) -> None:
    commit_in_windows(world, 4, 9, 9, 9, 9)
    # The fourth window before begins 89 days before its last day.
    first = epoch(AS_OF) - (4 * 90 + 89) * DAY
    world.commit(REPO, ADA, at=first + DAY)
    assert row(world)["state"] == "active"
    world.commit(REPO, ADA, at=first + DAY - 1)
    assert row(world)["state"] == "slowing"


def test_one_person_takes_ten_commits(world: World) -> None:
    for _ in range(9):
        world.commit(REPO, ADA, at=at(20))
    assert row(world)["flags"].words == frozenset()
    world.commit(REPO, ADA, at=at(20))
    assert row(world)["flags"].words == {"one_person"}
    for _ in range(10):
        world.commit(REPO, BEN, at=at(20))
    world.commit(REPO, person("cleo"), at=at(20))
    # 10 of 21 are less than half.
    assert row(world)["flags"].words == frozenset()


def test_statuses_are_flags(world: World) -> None:
    world.add_repo(POND, OLD)
    world.switch_issues(POND, False)
    world.set_status(PACKAGE, "quarantined")
    found = row(world, PAIR)
    assert found["flags"].words == {"issues_off", "quarantined"}
    assert found["flags"].accepts("issues_off, quarantined, of my own")
    assert found["flags"].accepts(["quarantined", "issues_off"])
    assert not found["flags"].accepts("issues_off")
    assert not found["flags"].accepts(None)
    assert found["sentence"] == Text()


def test_a_project_without_a_repository_has_no_state(world: World) -> None:
    assert row(world, (Project("P", (), (PACKAGE,)),))["state"] is None
    assert row(world, (Project("Lost", ("acme/lost",)),))["state"] is None
