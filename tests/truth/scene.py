"""A repository, a package and a few people for the tests of the oracle."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lakepulse_simulator import Person, User, World
from lakepulse_simulator.world import DAY, epoch, person
from tests.truth.gold import Known, Project, Row, gold

AS_OF = date(2026, 1, 31)
"""A Saturday."""
START = epoch(date(2026, 1, 1))
REPO, POND, PACKAGE = "acme/lake", "acme/pond", "acme-lake"
ADA, BEN = person("Ada", "Ada A"), person("ben", "Ben B")
ROBOT = Person("robot", "robot@example.org", User("robot[bot]", 5, "Bot"))
PROJECTS = (Project("Acme", (REPO,), (PACKAGE,)),)
PAIR = (Project("Acme", (REPO, POND), (PACKAGE,)),)


def new_world(born: int = START) -> World:
    """One repository, created at `born`, and one package without a file."""
    made = World(AS_OF)
    made.add_repo(REPO, born)
    made.add_package(PACKAGE)
    return made


def shown(
    world: World, as_of: date = AS_OF, projects: tuple[Project, ...] = PROJECTS, sweep: bool = False, **more: Any
) -> dict[str, list[Row]]:
    """Gold after one look."""
    known = Known(projects)
    known.look(world, as_of, sweep=sweep)
    return gold(known, as_of, **more)


def at(day: int, hour: float = 12) -> int:
    """A time in January 2026; 0 and less are days before it."""
    return START + (day - 1) * DAY + int(hour * 3600)


def january(number: int) -> date:
    """A day in January 2026."""
    return date(2026, 1, 1) + timedelta(days=number - 1)


def only(rows: list[Row], **where: Any) -> Row:
    """The one row that has these values."""
    (found,) = [row for row in rows if all(row[key] == value for key, value in where.items())]
    return found


def figure(tables: dict[str, list[Row]], name: str, scope: str = REPO, week: date = date(2026, 1, 26)) -> Row:
    """A row of fct_figures; the default week is the one that runs."""
    return only(tables["fct_figures"], figure=name, scope=scope, week=week)


def value(tables: dict[str, list[Row]], name: str, scope: str = REPO, week: date = date(2026, 1, 26)) -> tuple[Any, ...]:
    """Value, n and status of a figure."""
    row = figure(tables, name, scope, week)
    return row["value"], row["n"], row["status"]


def authors(tables: dict[str, list[Row]], repo: str = REPO) -> dict[str, int]:
    """Commits by author."""
    return {row["author"]: row["num_commits"] for row in tables["fct_num_author_commits_by_repo"] if row["repo"] == repo}


def fill_downloads(world: World, counts: dict[int, int], category: str = "without_mirrors", package: str = PACKAGE) -> None:
    """Downloads of days of January 2026."""
    for number, count in counts.items():
        world.set_downloads(package, "overall", january(number), category, count)
