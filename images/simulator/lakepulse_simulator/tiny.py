"""A small world for tests: a few dozen items, made in milliseconds, and random changes to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from lakepulse_simulator.world import (
    ACTIONS_BOT,
    DAY,
    DEPENDABOT,
    WEB_FLOW,
    PackageStatus,
    Person,
    User,
    World,
    epoch,
    noreply,
    person,
    user,
    with_coauthors,
)

PEOPLE = (
    person("ada", "Ada Abara"),
    person("ben", "Ben Castro"),
    person("cleo", "Cleo Rao"),
    Person("cleo rao", "cleo@example.org"),
    Person("Ada Abara", "ada@laptop.local"),
    Person("No Account", "nobody@example.net"),
    DEPENDABOT,
    person("acme-merge-bot", "Acme Merge Bot"),
    Person("semantic-release-bot", "release@example.org"),
    Person("Ada (laptop)", noreply(user("ada"))),
    Person("Ben", "ben@elsewhere.example"),
    Person("", "blank@example.org"),
    Person("jane.roe@example.org", "jane.roe@example.org"),
    Person("", ""),
)
USERS = (user("ada"), user("Ben"), user("dora"), user("eve"), ACTIONS_BOT, user("acme-merge-bot"), None)
LABELS = ("bug", "Bug", "question", "", "needs 🚑")
BAD_DATES = (0, epoch(date(1803, 3, 21)), epoch(date(2286, 11, 20)))
"""Dates that broken clocks and odd tools write."""
UNPARSABLE = "58213-04-26T07:34:56Z"
TITLES = ("It fails", "<b>bold</b>", "'; DROP TABLE x;--", "🚀 goes \u202eup", "NUL \u0000 here", "Slow")


def tiny_world(
    seed: int = 0,
    day: date = date(2026, 1, 15),
    repos: Sequence[str] = ("acme/lake", "acme/pond"),
    packages: Sequence[str] = ("acme-lake",),
    new_packages: Sequence[str] = (),
) -> World:
    """A world whose history of about 60 days ends the day before `day`.

    `new_packages` are first released ten days before it, each on an ordinary day.
    """
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
        for back in range(1, 61):
            download_day(world, name, day - timedelta(days=back), chance)
    for name in new_packages:
        world.add_package(name)
        world.upload(name, "0.1.0", epoch(day) - 10 * DAY)
        for back in range(1, 11):
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
            ("older comment", lambda: world.comment(name, any_issue, chance.choice(USERS), created_at=late)),
        ]
    if open_issues:
        choices.append(("close issue", lambda: world.close_issue(name, chance.choice(open_issues).number)))
        choices.append(("stale issue", lambda: _stale(world, name, chance.choice(open_issues).number, chance)))
    if closed_issues:
        choices.append(("reopen issue", lambda: world.reopen_issue(name, chance.choice(closed_issues).number)))
    if open_pulls:
        choices.append(("merge pull", lambda: world.merge_pull(name, chance.choice(open_pulls).number, who)))
        choices.append(("close pull", lambda: world.close_issue(name, chance.choice(open_pulls).number)))
        choices.append(("script merge", lambda: _script_merge(world, name, chance.choice(open_pulls).number, chance)))
    choices.append(("odd commit", lambda: _odd_commit(world, name, chance)))
    choices.append(("import issue", lambda: _import(world, name, chance)))
    what, change = chance.choice(choices)
    change()
    return what


def _stale(world: World, name: str, number: int, chance: random.Random) -> None:
    """What a bot for stale issues does."""
    world.comment(name, number, ACTIONS_BOT, body="Nothing happened here.")
    world.close_issue(name, number, reason=chance.choice(("not_planned", "duplicate")))


def _script_merge(world: World, name: str, number: int, chance: random.Random) -> None:
    message = chance.choice(
        (
            f"Change\n\nCloses #{number} from fork/work.",
            f"Change (#{number})",
            f"fixes: #{number}",
            f"Change\n\nSee #{number}.",
            f'Revert "Change (#{number})"',
        )
    )
    world.merge_by_script(name, number, chance.choice(PEOPLE), message=message, lag=chance.choice((60, 3 * DAY)))


def _odd_commit(world: World, name: str, chance: random.Random) -> None:
    who = chance.choice(PEOPLE)
    match chance.randrange(4):
        case 0:
            world.commit(name, who, "By a broken clock", authored_at=chance.choice(BAD_DATES), committer=chance.choice(PEOPLE))
        case 1:
            world.commit(name, who, "By no clock", authored_text=UNPARSABLE)
        case 2:
            world.commit(name, who, "Committed by a broken clock", chance.choice(BAD_DATES), authored_at=world.now)
        case _:
            message = with_coauthors("Together", *(chance.choice(PEOPLE) for _ in range(2)))
            world.commit(name, who, message, committer=chance.choice((WEB_FLOW, who)))


def _import(world: World, name: str, chance: random.Random) -> None:
    """An issue or pull request older than its repository, or younger, with answers before and after it."""
    created = world.now - chance.randrange(1, 90) * DAY
    comments = [(chance.choice(USERS), created + chance.randrange(-5, 5) * DAY) for _ in range(chance.randrange(3))]
    closed = chance.choice((None, created + chance.randrange(-3, 9) * DAY))
    is_pull = chance.random() < 0.3
    times = {"closed_at": closed, "merged_at": closed if is_pull else None}
    world.import_issue(name, "Copied", chance.choice(USERS), created_at=created, comments=comments, is_pull=is_pull, **times)


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


def _status(world: World, chance: random.Random) -> str:
    """A name or a status changes upstream, and no item's `updated_at` with it."""
    repo = chance.choice(list(world.repos.values()))
    what = chance.choice(
        ("rename account", "rename account", "take over login", "archive", "disable", "switch issues", "gone", "package status")
    )
    match what:
        case "rename account":
            who = user(chance.choice(("ada", "ben", "cleo", "dora")))
            world.rename_account(who, f"{who.login}-{len(world.logins) + 1}")
        case "take over login":
            # A login is free once its first holder has another; whoever takes it is new.
            held = {found.id for found in map(user, ("ada", "ben", "cleo", "dora"))} - world.logins.keys()
            login = chance.choice(("ada", "ben", "cleo", "dora"))
            if user(login).id not in held:
                newcomer = User(login, 77_000_000 + len(login))
                world.commit(repo.name, Person(login.title(), f"{login}@new.example", newcomer))
        case "archive":
            world.archive(repo.name, is_archived=not repo.is_archived)
        case "disable":
            world.disable(repo.name, is_disabled=not repo.is_disabled)
        case "switch issues":
            world.switch_issues(repo.name, not repo.has_issues, lists_pulls=chance.random() < 0.5)
        case "gone":
            world.set_gone(repo.name, None if repo.gone else chance.choice((404, 451)))
        case _:
            if not world.packages:
                return "nothing"
            package = chance.choice(list(world.packages))
            status: tuple[PackageStatus, ...] = ("active", "archived", "deprecated", "quarantined")
            world.set_status(package, chance.choice(status))
    return what


def _package_change(world: World, chance: random.Random, draw: float, *, with_losses: bool) -> str:
    package = chance.choice(list(world.packages.values()))
    back = world.date - timedelta(days=chance.randint(1, 6))
    files = list(package.files.values())
    if draw < 0.03:
        version = f"2.{package.version}"
        world.upload(package.name, version)
        if world.repos:
            name = chance.choice(list(world.repos.values())).name
            world.release(name, chance.choice((f"v{version}.0", f"v{version}", f"acme-{version}-rc.1")))
        return "upload"
    if draw < 0.05:
        world.remove_download_day(package.name, back)
        return "missing day"
    if draw < 0.07:
        world.set_downloads(package.name, "overall", back, "with_mirrors", chance.randint(1, 99))
        world.set_downloads(package.name, "overall", back, "without_mirrors", None)
        return "mirrors alone"
    if draw < 0.09 and files:
        world.yank(package.name, chance.choice(files).version)
        return "yank"
    if draw < 0.1 and files and with_losses:
        world.delete_file(package.name, chance.choice(files).filename)
        return "delete file"
    world.set_downloads(package.name, "overall", back, "without_mirrors", chance.randint(1, 99))
    return "correct downloads"


def random_change(world: World, chance: random.Random, *, with_losses: bool = True, odd: bool = False) -> str:
    """Change something somewhere, and say what: for sequences in property tests.

    Losses are what upstream deletes, moves away or rewrites. `odd` adds what no item's `updated_at`
    shows: renamed accounts, logins taken over, and statuses of repositories and packages.
    """
    world.now += chance.choice((0, 1, 60, 3600))
    draw = chance.random()
    if odd and with_losses and chance.random() < 0.12:
        return _status(world, chance)
    if draw < 0.15 and world.packages:
        return _package_change(world, chance, draw, with_losses=with_losses)
    name = chance.choice(list(world.repos.values())).name
    if draw < 0.25 and with_losses:
        return _loss(world, name, chance)
    return _event(world, name, chance)
