"""The figures, each worked out by hand, and what a missing member does to them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lakepulse_simulator import Person, World
from lakepulse_simulator.world import DAY, epoch, person
from tests.truth.compare import Text
from tests.truth.figures import FIGURES
from tests.truth.gold import Break, Known, Project, gold
from tests.truth.scene import (
    ADA,
    AS_OF,
    BEN,
    PACKAGE,
    PAIR,
    POND,
    PROJECTS,
    REPO,
    ROBOT,
    at,
    figure,
    fill_downloads,
    january,
    new_world,
    only,
    shown,
    value,
)

OLD = epoch(date(2022, 1, 1))
NOBODY = Person("", "")


@pytest.fixture
def world() -> World:
    return new_world(OLD)


def test_the_dimension_lists_the_figures_of_the_contract(world: World) -> None:
    rows = {r["figure"]: r["question"] for r in shown(world)["dim_figures"]}
    assert len(rows) == 20
    assert set(rows.values()) == {"alive", "carried", "answered", "adopted"}
    assert rows["stars"] == "adopted"
    assert rows["merge_median_days_12w"] == "answered"


def test_there_is_a_row_for_every_week_since_the_first_event(world: World) -> None:
    world.commit(REPO, ROBOT, at=at(4))  # a Sunday
    rows = shown(world)["fct_figures"]
    weeks = {r["week"] for r in rows if r["scope"] == REPO}
    assert weeks == {date(2025, 12, 29), january(5), january(12), january(19), january(26)}
    assert {r["figure"] for r in rows if r["scope"] == "Acme"} == set(FIGURES)
    assert {r["figure"] for r in rows if r["scope"] == REPO} == set(FIGURES) - {
        "downloads_per_day_28d",
        "downloads_change_year",
    }
    assert not [r for r in rows if r["scope"] == PACKAGE]
    world.upload(PACKAGE, "1.0", at(20))
    rows = [r for r in shown(world)["fct_figures"] if r["scope"] == PACKAGE]
    assert {r["figure"] for r in rows} == {
        "downloads_per_day_28d",
        "downloads_change_year",
        "releases_365d",
        "days_since_release",
    }
    assert {r["week"] for r in rows} == {january(19), january(26)}


def test_a_scope_without_an_event_has_no_row(world: World) -> None:
    assert shown(world)["fct_figures"] == []


def test_the_first_event_may_be_a_commit_with_an_impossible_author_date(world: World) -> None:
    world.commit(REPO, ADA, at=at(6), authored_at=0)
    assert min(r["week"] for r in shown(world)["fct_figures"]) == january(5)


def test_figures_of_commits(world: World) -> None:
    """28 days are 4 to 31 January: ada 2, ben 1, nobody 1, the robot 4. A year: ada 3, ben 1, cleo 4, nobody 1, the robot 5."""
    cleo = person("cleo")
    for who, days in (
        (ADA, (4, 31, 3)),
        (BEN, (5,)),
        (NOBODY, (6,)),
        (ROBOT, (7, 7, 7, 7, -99)),
        (cleo, (-300, -300, -40, -40)),
    ):
        for number in days:
            world.commit(REPO, who, at=at(number))
    world.commit(REPO, cleo, at=at(-400))
    tables = shown(world)
    assert value(tables, "commits_28d") == (4.0, 4, "known")
    assert value(tables, "active_people_28d") == (2.0, 3, "known")
    assert value(tables, "commits_365d") == (9.0, 9, "known")
    assert value(tables, "active_people_365d") == (3.0, 8, "known")
    assert value(tables, "absence_factor_365d") == (1.0, 8, "known")
    assert value(tables, "top_share_365d") == (0.5, 8, "known")
    assert value(tables, "bot_share_365d") == (5 / 14, 14, "known")
    # cleo's first commit is older than 90 days, and bots are no people.
    assert value(tables, "new_people_90d") == (2.0, 2, "known")
    # In the week that began on 8 December there were cleo's two of 21 November, in that of 6 October none.
    earlier = date(2025, 12, 8)
    assert value(tables, "commits_28d", week=date(2025, 10, 6)) == (0.0, 0, "known")
    assert value(tables, "active_people_28d", week=earlier) == (1.0, 2, "known")


def test_with_nothing_in_the_window_a_count_is_zero_and_another_value_unknown(world: World) -> None:
    world.commit(REPO, ROBOT, at=at(-800))
    tables = shown(world)
    for name, (question, kinds) in FIGURES.items():
        row = figure(tables, name, "Acme")
        is_count = name.startswith(("commits", "active", "releases", "new_people", "open_issues"))
        if is_count:
            assert (row["value"], row["n"], row["status"]) == (0.0, 0, "known"), name
        elif name == "stars":
            assert (row["value"], row["status"]) == (0.0, "known")
        else:
            wanted = "none" if name == "days_since_release" else "unknown"
            assert (row["value"], row["status"], row["reason"]) == (None, wanted, Text()), (name, question, kinds)


def test_a_project_pools_its_members(world: World) -> None:
    """By repository the factor is 1 and 1; together ada 3, ben 3, cleo 2 make it 2."""
    world.add_repo(POND, OLD)
    for who, repo, count in ((ADA, REPO, 3), (BEN, REPO, 1), (BEN, POND, 2), (person("cleo"), POND, 2)):
        for _ in range(count):
            world.commit(repo, who, at=at(20))
    tables = shown(world, projects=PAIR)
    assert value(tables, "absence_factor_365d", REPO)[0] == 1.0
    assert value(tables, "absence_factor_365d", POND)[0] == 1.0
    assert value(tables, "absence_factor_365d", "Acme") == (2.0, 8, "known")
    assert value(tables, "active_people_28d", "Acme") == (3.0, 8, "known")
    assert value(tables, "new_people_90d", "Acme") == (3.0, 3, "known")


def looked_at(world: World, *days: int) -> Known:
    known = Known(PAIR)
    for number in days:
        known.look(world, january(number))
    return known


def test_stars_are_those_of_the_last_snapshot_within_7_days(world: World) -> None:
    world.add_repo(POND, OLD)
    world.commit(REPO, ADA, at=at(-60))
    world.star(REPO, 10)
    world.star(POND, 5)
    known = looked_at(world, -2, 0)
    world.star(REPO, 7)
    known.look(world, january(27))
    tables = gold(known, AS_OF)
    assert value(tables, "stars", "Acme") == (22.0, 2, "known")
    # 28 days before 31 January is the 3rd, and the snapshot of 31 December lies within its 7 days.
    assert value(tables, "stars_gained_28d", "Acme") == (7.0, 2, "known")
    assert value(tables, "stars", week=january(19)) == (None, 0, "unknown")
    assert value(tables, "stars", week=date(2025, 12, 29)) == (10.0, 1, "known")
    assert value(tables, "stars_gained_28d", week=date(2025, 12, 29)) == (None, 0, "unknown")


def test_a_repository_without_a_snapshot_makes_stars_partial_and_one_not_yet_born_does_not(world: World) -> None:
    world.commit(REPO, ADA, at=at(-60))
    world.star(REPO, 10)
    known = Known(PAIR)
    known.look(world, january(3))
    world.add_repo(POND, at(20))
    world.star(POND, 4)
    known.look(world, AS_OF)
    tables = gold(known, AS_OF)
    assert value(tables, "stars", "Acme") == (14.0, 2, "known")
    # The pond was created within the 28 days: all its stars are gained.
    assert value(tables, "stars_gained_28d", "Acme") == (4.0, 2, "known")
    assert value(tables, "stars", "Acme", date(2025, 12, 29)) == (10.0, 1, "known")
    world.repo(POND).created_at = OLD
    known.look(world, AS_OF)
    tables = gold(known, AS_OF)
    assert value(tables, "stars", "Acme", date(2025, 12, 29)) == (10.0, 1, "partial")
    assert figure(tables, "stars", "Acme", date(2025, 12, 29))["reason"] == Text(names=(POND,))
    assert value(tables, "stars_gained_28d", "Acme") == (0.0, 1, "partial")


def test_answers_within_seven_days(world: World) -> None:
    """The window of 84 days that ends 7 days before 31 January: 2 November to 24 January."""
    first = at(24, 0) - 83 * DAY
    world.open_issue(REPO, "Too old", ADA.user, first - 1)
    for opened in (first, at(10), at(11), at(12), at(24, 23.9)):
        world.open_issue(REPO, "In the window", ADA.user, opened)
    world.open_issue(REPO, "Too young", ADA.user, at(25, 0))
    world.open_issue(REPO, "By a bot", ROBOT.user, at(10))
    world.comment(REPO, 2, BEN.user, first + 7 * DAY)
    world.comment(REPO, 3, BEN.user, at(10) + 7 * DAY + 1)
    world.comment(REPO, 4, ROBOT.user, at(11, 13))
    world.comment(REPO, 6, BEN.user, at(31, 23))
    tables = shown(world)
    # Answered in time: the first, and the last (7 days less an hour after it was opened).
    assert value(tables, "answered_7d_share_12w") == (2 / 5, 5, "known")
    # Waits: 167.1, 168, 168.0003 hours, and two that have no end: the third of five is the median.
    assert value(tables, "first_response_median_hours_12w")[0] == pytest.approx(168 + 1 / 3600)
    # A week earlier the window ended on the 18th, and the answer to the last was not there.
    assert value(tables, "answered_7d_share_12w", week=january(19))[:2] == (1 / 5, 5)


def test_a_median_wait_without_end_is_known_and_has_a_reason(world: World) -> None:
    for number in (1, 2):
        world.open_issue(REPO, "Q", ADA.user, at(10))
        if number == 1:
            world.comment(REPO, 1, BEN.user, at(11))
    row = figure(shown(world), "first_response_median_hours_12w")
    assert (row["value"], row["n"], row["status"], row["reason"]) == (None, 2, "known", Text())
    world.open_issue(REPO, "Q", ADA.user, at(10))
    world.comment(REPO, 3, BEN.user, at(12))
    row = figure(shown(world), "first_response_median_hours_12w")
    assert (row["value"], row["n"], row["reason"]) == (48.0, 3, Text(is_present=False))


def test_an_answer_after_the_rows_window_is_none(world: World) -> None:
    world.open_issue(REPO, "Q", ADA.user, at(2))
    world.comment(REPO, 1, BEN.user, at(20))
    tables = shown(world)
    assert value(tables, "first_response_median_hours_12w", week=january(12)) == (None, 1, "known")
    assert value(tables, "first_response_median_hours_12w", week=january(19))[0] == 18 * 24.0


def test_imported_issues_are_in_no_figure_about_answers_and_in_the_others(world: World) -> None:
    for _ in range(2):
        world.import_issue(REPO, opener=ADA.user, at=at(20), created_at=at(10), closed_at=at(15))
    world.repo(REPO).created_at = at(12)
    world.open_issue(REPO, "Mine", ADA.user, at(14))
    world.open_issue(REPO, "Answered before", ADA.user, at(14))
    world.comment(REPO, 4, BEN.user, at(20), created_at=at(13))
    tables = shown(world)
    assert value(tables, "answered_7d_share_12w") == (0.0, 1, "known")
    assert value(tables, "closed_per_opened_12w") == (2 / 4, 4, "known")
    assert value(tables, "open_issues") == (2.0, 2, "known")


def test_closings_as_not_planned_or_duplicate_solve_nothing(world: World) -> None:
    for reason in ("completed", "not_planned", "duplicate", None):
        issue = world.open_issue(REPO, at=at(10))
        world.close_issue(REPO, issue.number, at(20), reason=reason)
    world.open_issue(REPO, at=at(10))
    tables = shown(world)
    assert value(tables, "closed_per_opened_12w") == (2 / 5, 5, "known")
    assert value(tables, "open_issues")[0] == 1.0
    assert value(tables, "open_issues", week=january(12))[0] == 5.0
    assert value(tables, "closed_per_opened_12w", week=january(12))[:2] == (0.0, 5)
    # fct_issue_resolution counts every closing.
    assert sum(r["issues_closed"] for r in tables["fct_issue_resolution"]) == 4


def test_merges_and_acceptance_of_people(world: World) -> None:
    """Ended within 84 days: merged after 2 and 4 days, merged by a script after 6, closed; a bot's is left out."""
    for who in (ADA.user, ADA.user, None, BEN.user, ROBOT.user, ADA.user):
        world.open_pull(REPO, opener=who, at=at(10, 0))
    world.merge_pull(REPO, 1, ADA, at(12, 0))
    world.merge_pull(REPO, 2, ADA, at(14, 0))
    world.merge_by_script(REPO, 3, BEN, at(16, 0), lag=0)
    world.close_issue(REPO, 4, at(17, 0))
    world.merge_pull(REPO, 5, ADA, at(11, 0))
    tables = shown(world)
    assert value(tables, "merge_median_days_12w") == (4.0, 3, "known")
    assert value(tables, "acceptance_12w") == (0.75, 4, "known")
    assert value(tables, "acceptance_12w", week=january(12)) == (0.75, 4, "known")
    world.import_issue(REPO, is_pull=True, at=at(20), created_at=OLD - DAY, merged_at=at(20), opener=ADA.user)
    assert value(shown(world), "merge_median_days_12w") == (4.0, 3, "known")
    assert value(shown(world), "acceptance_12w") == (0.8, 5, "known")


def test_issues_switched_off_are_none_and_other_repositories_go_on(world: World) -> None:
    world.add_repo(POND, OLD)
    for repo in (REPO, POND):
        world.open_issue(repo, "Q", ADA.user, at(10))
        pull = world.open_pull(repo, opener=ADA.user, at=at(10))
        world.merge_pull(repo, pull.number, ADA, at(12))
    world.switch_issues(REPO, False)
    tables = shown(world, projects=PAIR)
    for name in ("open_issues", "answered_7d_share_12w", "first_response_median_hours_12w", "closed_per_opened_12w"):
        row = figure(tables, name, REPO)
        assert (row["value"], row["n"], row["status"], row["reason"]) == (None, 0, "none", Text())
    assert value(tables, "open_issues", "Acme") == (1.0, 1, "known")
    assert value(tables, "acceptance_12w", REPO) == (1.0, 1, "known")
    world.switch_issues(POND, False)
    assert value(shown(world, projects=PAIR), "open_issues", "Acme") == (None, 0, "none")


def test_a_missing_member_makes_a_project_partial_and_is_named(world: World) -> None:
    world.commit(REPO, ADA, at=at(20))
    world.open_issue(REPO, "Q", ADA.user, at(20))
    tables = shown(world, projects=PAIR)  # the pond never was
    for name in ("commits_28d", "open_issues", "releases_365d", "stars"):
        row = figure(tables, name, "Acme")
        assert (row["status"], row["reason"]) == ("partial", Text(names=(POND,))), name
    assert value(tables, "commits_28d", "Acme")[0] == 1.0
    assert value(tables, "days_since_release", "Acme")[2] == "unknown"
    assert value(tables, "commits_28d", REPO)[2] == "known"


def test_a_member_that_went_away_counts_with_what_is_known_and_later_rows_say_so(world: World) -> None:
    world.add_repo(POND, OLD)
    world.commit(REPO, ADA, at=at(8))
    world.commit(POND, BEN, at=at(9))
    known = looked_at(world, 12)
    world.set_gone(POND, 404)
    known.look(world, AS_OF)
    tables = gold(known, AS_OF)
    for scope in ("Acme", POND):
        assert value(tables, "active_people_28d", scope, january(5))[2] == "known"
        # That week ends on the 18th, after the day on which the pond was last seen.
        assert value(tables, "commits_28d", scope, january(12))[2] == "partial"
    assert value(tables, "commits_28d", "Acme") == (2.0, 2, "partial")
    assert figure(tables, "commits_28d", "Acme")["reason"] == Text(names=(POND,))
    world.set_gone(POND, None)
    known.look(world, AS_OF)
    assert value(gold(known, AS_OF), "commits_28d", "Acme") == (2.0, 2, "known")


def test_a_project_of_which_nothing_was_found_has_no_figure(world: World) -> None:
    tables = shown(world, projects=(Project("Lost", ("acme/lost",), ("lost",)),))
    assert tables["fct_figures"] == []
    world.upload(PACKAGE, "1.0", at(20))
    tables = shown(world, projects=(Project("Lost", ("acme/lost",), (PACKAGE,)),))
    row = figure(tables, "commits_28d", "Lost")
    assert (row["value"], row["status"], row["reason"]) == (None, "unknown", Text(names=("acme/lost",)))
    assert value(tables, "releases_365d", "Lost") == (1.0, 1, "partial")


def test_a_project_without_a_package_or_a_repository_has_none_of_its_figures(world: World) -> None:
    world.commit(REPO, ADA, at=at(20))
    world.upload(PACKAGE, "1.0", at(20))
    tables = shown(world, projects=(Project("R", (REPO,)), Project("P", (), (PACKAGE,))))
    assert value(tables, "downloads_per_day_28d", "R") == (None, 0, "none")
    assert value(tables, "commits_28d", "P") == (None, 0, "none")
    assert value(tables, "open_issues", "P") == (None, 0, "none")
    assert value(tables, "releases_365d", "P") == (1.0, 1, "known")


# --- downloads


def mean(world: World, scope: str = "Acme", **more: object) -> tuple[object, ...]:
    return value(shown(world, **more), "downloads_per_day_28d", scope)  # type: ignore[arg-type]


def test_downloads_per_day_end_the_day_before_as_of(world: World) -> None:
    world.upload(PACKAGE, "1.0", at(-400))
    fill_downloads(world, dict.fromkeys(range(3, 31), 10) | {2: 999, 31: 999})
    assert mean(world) == (10.0, 28, "known")
    # A week that is over ends with its Sunday.
    fill_downloads(world, dict.fromkeys(range(-9, 3), 10))
    assert value(shown(world), "downloads_per_day_28d", PACKAGE, january(12)) == (10.0, 28, "known")
    # On a Monday the week that runs has no day of its own yet.
    world.set_date(january(26))
    assert value(shown(world, january(26)), "downloads_per_day_28d", PACKAGE) == (10.0, 28, "known")


def test_missing_days_make_it_partial_and_more_than_seven_unknown(world: World) -> None:
    world.upload(PACKAGE, "1.0", at(-400))
    fill_downloads(world, dict.fromkeys(range(4, 31), 10))
    row = figure(shown(world), "downloads_per_day_28d", "Acme")
    assert (row["value"], row["n"], row["status"], row["reason"]) == (10.0, 27, "partial", Text(names=("27 of 28",)))
    fill_downloads(world, dict.fromkeys(range(4, 10), None))  # type: ignore[arg-type]
    assert mean(world) == (10.0, 21, "partial")
    fill_downloads(world, {10: None})  # type: ignore[dict-item]
    assert mean(world) == (None, 20, "unknown")


def test_days_of_mirrors_alone_are_zero(world: World) -> None:
    """As in the case: 27 days of 4 and one of mirrors alone are 108 in 28 days."""
    fill_downloads(world, dict.fromkeys(range(3, 31), 5), "with_mirrors")
    fill_downloads(world, dict.fromkeys((number for number in range(3, 31) if number != 9), 4))
    assert mean(world) == (108 / 28, 28, "known")


def test_a_new_package_does_not_blank_its_project(world: World) -> None:
    """As in the case: 28 days of 40, and of another package, first released ten days ago, 5: 1,170 in 28 days."""
    pair = (Project("Acme", (REPO,), (PACKAGE, "acme-new")),)
    world.upload(PACKAGE, "1.0", at(-400))
    fill_downloads(world, dict.fromkeys(range(3, 31), 40))
    world.add_package("acme-new")
    world.upload("acme-new", "0.1", at(21))
    fill_downloads(world, dict.fromkeys(range(21, 31), 5), package="acme-new")
    assert mean(world, projects=pair) == (1170 / 28, 28, "known")
    assert mean(world, "acme-new", projects=pair) == (50 / 28, 28, "known")
    # A day after its first release without a row is missing.
    world.set_downloads("acme-new", "overall", january(21), "without_mirrors", None)
    assert mean(world, projects=pair) == ((1170 - 45) / 27, 27, "partial")


def test_a_package_that_is_not_found_leaves_the_others(world: World) -> None:
    pair = (Project("Acme", (REPO,), (PACKAGE, "acme-lost")),)
    world.upload(PACKAGE, "1.0", at(-400))
    fill_downloads(world, dict.fromkeys(range(3, 31), 40))
    row = figure(shown(world, projects=pair), "downloads_per_day_28d", "Acme")
    assert (row["value"], row["n"], row["status"], row["reason"]) == (40.0, 28, "partial", Text(names=("acme-lost",)))
    # One that went away counts up to the day before it was last found.
    world.add_package("acme-lost")
    fill_downloads(world, dict.fromkeys(range(3, 31), 2), package="acme-lost")
    known = Known(pair)
    world.set_date(january(17))
    known.look(world, january(17))
    world.set_date(AS_OF)
    world.package("acme-lost").is_gone = True
    known.look(world, AS_OF)
    tables = gold(known, AS_OF)
    assert value(tables, "downloads_per_day_28d", "Acme") == (40 + 2 * 14 / 28, 28, "partial")
    assert value(tables, "downloads_per_day_28d", "Acme", january(5))[2] != "partial"


def a_year() -> World:
    """A new world: 10 a day in the 28 days to 30 January, 8 in those that end 364 days earlier."""
    made = World(AS_OF - timedelta(days=360))
    made.add_repo(REPO, OLD)
    made.add_package(PACKAGE)
    made.upload(PACKAGE, "1.0", OLD)
    fill_downloads(made, dict.fromkeys(range(3, 31), 10) | dict.fromkeys(range(3 - 364, 31 - 364), 8))
    return made


def looked_every_quarter(world: World, breaks: tuple[Break, ...] = ()) -> tuple[object, ...]:
    known = Known(PROJECTS)
    for back in (360, 180, 0):
        world.set_date(AS_OF - timedelta(days=back))
        known.look(world, world.date)
    row = figure(gold(known, AS_OF, breaks=breaks), "downloads_change_year", "Acme")
    return row["value"], row["n"], row["status"], row["reason"]


def test_the_change_against_the_year_before() -> None:
    assert looked_every_quarter(a_year()) == (pytest.approx(25.0), 28, "known", Text(is_present=False))


def test_the_change_across_a_known_break_stays_and_is_partial() -> None:
    oldest, newest = january(3 - 364), january(30)
    for first, last, is_across in (
        (newest, newest, True),
        (oldest, oldest, True),
        (date(2025, 8, 1), date(2025, 8, 1), True),
        (newest + timedelta(days=1), newest + timedelta(days=9), False),
        (oldest - timedelta(days=9), oldest - timedelta(days=1), False),
        (oldest - timedelta(days=9), oldest, True),
    ):
        found = looked_every_quarter(a_year(), (Break(None, first, last),))
        assert (found[0], found[2]) == (pytest.approx(25.0), "partial" if is_across else "known"), (first, last)
    assert looked_every_quarter(a_year(), (Break("other", newest, newest),))[2] == "known"


def test_the_change_without_a_year_before_is_unknown_and_with_gaps_partial() -> None:
    world = a_year()
    fill_downloads(world, dict.fromkeys(range(3 - 364, 6 - 364), None))  # type: ignore[arg-type]
    found = looked_every_quarter(world)
    assert found == (pytest.approx(25.0), 28, "partial", Text(names=("25 of 28",)))
    fill_downloads(world, dict.fromkeys(range(3 - 364, 31 - 364), 0))
    # From nothing there is no change in percent.
    assert looked_every_quarter(world)[::2] == (None, "unknown")
    young = new_world(OLD)
    young.upload(PACKAGE, "1.0", at(3))
    fill_downloads(young, dict.fromkeys(range(3, 31), 10))
    row = figure(shown(young), "downloads_change_year", "Acme")
    assert (row["value"], row["status"], row["reason"]) == (None, "unknown", Text())


def test_a_repository_listed_in_two_projects_has_one_set_of_rows(world: World) -> None:
    world.commit(REPO, ADA, at=at(20))
    tables = shown(world, projects=(Project("A", (REPO,)), Project("B", (REPO,))))
    assert only(tables["fct_figures"], scope=REPO, figure="commits_28d", week=january(26))["value"] == 1.0
    assert {r["scope"] for r in tables["fct_people"]} == {"A", "B", REPO}
