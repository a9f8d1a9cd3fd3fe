"""A small world for tests: a few dozen items, made in milliseconds, and random changes to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from lakepulse_simulator.world import ACTIONS_BOT, DAY, DEPENDABOT, Person, World, epoch, person, user

PEOPLE = (
    person("ada", "Ada Abara"),
    person("ben", "Ben Castro"),
    person("cleo", "Cleo Rao"),
    Person("cleo rao", "cleo@example.org"),
    Person("Ada Abara", "ada@laptop.local"),
    Person("No Account", "nobody@example.net"),
    DEPENDABOT,
)
USERS = (user("ada"), user("Ben"), user("dora"), user("eve"), ACTIONS_BOT, None)
LABELS = ("bug", "Bug", "question", "", "needs 🚑")
TITLES = ("It fails", "<b>bold</b>", "'; DROP TABLE x;--", "🚀 goes \u202eup", "NUL \u0000 here", "Slow")


def tiny_world(
    seed: int = 0,
    day: date = date(2026, 1, 15),
    repos: Sequence[str] = ("acme/lake", "acme/pond"),
    packages: Sequence[str] = ("acme-lake",),
) -> World:
    """A world whose history of about 60 days ends the day before `day`."""
    chance = random.Random(seed)
    world = World(day, seed)
    world.now = epoch(day) - 60 * DAY
    for name in repos:
        world.add_repo(name)
        for _ in range(12):
            world.now += chance.randrange(4 * DAY)
            _event(world, name, chance)
        world.now = epoch(day) - 60 * DAY
    for name in packages:
        world.add_package(name)
        world.upload(name, "1.0", epoch(day) - 40 * DAY)
        world.upload(name, "1.1rc1", epoch(day) - 12 * DAY)
        world.upload(name, "1.1", epoch(day) - 10 * DAY)
        for back in range(1, 21):
            download_day(world, name, day - timedelta(days=back), chance)
    world.now = epoch(day)
    return world


def download_day(world: World, package: str, day: date, chance: random.Random) -> None:
    """One day's counts of a package, of all kinds."""
    total = chance.randint(5, 40)
    counts = {
        "overall": {"with_mirrors": total + chance.randint(0, 9), "without_mirrors": total},
        "python_minor": {"3.12": total - 2, "null": 2},
        "system": {"Linux": total - 3, "Darwin": 3},
    }
    target = world.package(package)
    for kind, categories in counts.items():
        target.downloads[kind][day] = categories
    target.version += 1


def _event(world: World, name: str, chance: random.Random) -> str:
    repo = world.repo(name)
    who = chance.choice(PEOPLE)
    issues = [i for i in repo.issues.values() if not i.is_pull]
    open_issues = [i for i in issues if i.state == "open"]
    closed_issues = [i for i in issues if i.state == "closed"]
    open_pulls = [i for i in repo.issues.values() if i.is_pull and i.state == "open"]
    late = world.now - chance.randrange(1, 20 * DAY)
    choices: list[tuple[str, Callable[[], object]]] = [
        ("commit", lambda: world.commit(name, who, chance.choice(TITLES), authored_at=late)),
        ("commit", lambda: world.commit(name, who)),
        ("commits in one second", lambda: world.commit_many(name, [chance.choice(PEOPLE) for _ in range(3)])),
        (
            "open issue",
            lambda: world.open_issue(
                name, chance.choice(TITLES), chance.choice(USERS), labels=chance.sample(LABELS, chance.randrange(3))
            ),
        ),
        ("open pull", lambda: world.open_pull(name, chance.choice(TITLES), chance.choice(USERS))),
        ("release", lambda: world.release(name, f"v{len(repo.releases)}.0", user("ada"), prerelease=chance.random() < 0.3)),
        ("star", lambda: world.star(name, chance.randint(-1, 5))),
    ]
    if repo.head is not None:
        choices.append(("merge late", lambda: world.merge_late(name, [who, chance.choice(PEOPLE)], chance.uniform(1, 30))))
    if repo.issues:
        any_issue = chance.choice(list(repo.issues))
        choices += [
            ("comment", lambda: world.comment(name, any_issue, chance.choice(USERS))),
            ("comment", lambda: world.comment(name, any_issue, chance.choice(USERS))),
            ("edit issue", lambda: world.edit_issue(name, any_issue, title=chance.choice(TITLES), labels=["bug"])),
        ]
    if open_issues:
        choices.append(("close issue", lambda: world.close_issue(name, chance.choice(open_issues).number)))
    if closed_issues:
        choices.append(("reopen issue", lambda: world.reopen_issue(name, chance.choice(closed_issues).number)))
    if open_pulls:
        choices.append(("merge pull", lambda: world.merge_pull(name, chance.choice(open_pulls).number, who)))
        choices.append(("close pull", lambda: world.close_issue(name, chance.choice(open_pulls).number)))
    what, change = chance.choice(choices)
    change()
    return what


def _loss(world: World, name: str, chance: random.Random) -> str:
    repo = world.repo(name)
    issues = [i.number for i in repo.issues.values() if not i.is_pull]
    others = [r.name for r in world.repos.values() if r is not repo]
    choices: list[tuple[str, Callable[[], object]]] = [
        ("force push", lambda: world.force_push(name, chance.randint(1, 3), [chance.choice(PEOPLE)]))
    ]
    if issues:
        choices.append(("delete issue", lambda: world.delete_issue(name, chance.choice(issues))))
        if others:
            choices.append(("transfer issue", lambda: world.transfer_issue(name, chance.choice(issues), chance.choice(others))))
    if repo.comments:
        choices.append(("delete comment", lambda: world.delete_comment(name, chance.choice(list(repo.comments)))))
    if repo.releases:
        choices.append(("delete release", lambda: world.delete_release(name, chance.choice(list(repo.releases)))))
    what, change = chance.choice(choices)
    change()
    return what


def random_change(world: World, chance: random.Random, *, with_losses: bool = True) -> str:
    """Change something somewhere, and say what: for sequences in property tests.

    Losses are what upstream deletes, moves away or rewrites.
    """
    world.now += chance.choice((0, 1, 60, 3600))
    draw = chance.random()
    if draw < 0.15 and world.packages:
        package = chance.choice(list(world.packages.values()))
        back = world.date - timedelta(days=chance.randint(1, 6))
        if draw < 0.03:
            world.upload(package.name, f"2.{len(package.files)}")
            return "upload"
        if draw < 0.06:
            world.remove_download_day(package.name, back)
            return "missing day"
        world.set_downloads(package.name, "overall", back, "without_mirrors", chance.randint(1, 99))
        return "correct downloads"
    name = chance.choice(list(world.repos.values())).name
    if draw < 0.25 and with_losses:
        return _loss(world, name, chance)
    return _event(world, name, chance)
