"""Who did what: the same persons however a lake came to be, and those that the gold contract describes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt.rendering import Rendering, bronze, database, table

REPOS = ("acme/lake", "acme/pond")
DAWN = datetime.fromisoformat("2024-01-01T00:00:00")
RENDERING = Rendering("2024-12-31", [{"project": "Lake", "kind": "repo", "name": repo} for repo in REPOS])
BOTS, NOT_BOTS = {"web-flow", "ci runner"}, {"not-a-bot"}

LOGINS = ("Ann", "bob", "cy-bot", "web-flow", "not-a-bot")
NAMES = ("Ann Lake", "Bob Stone", "林\u3000安", "bob", "Bob", "ann@x.example", "CI Runner", "release-robot", "", "\u3000", None)
EMAILS = ("ann@x.example", "ANN@x.example", "shared@x.example", "2+Bob@users.noreply.github.com", "", None)
NOREPLY = re.compile(r"(\d+)\+([^@]+)@users\.noreply\.github\.com")

Event = dict[str, Any]  # key, repo, at, account (an id or None), name, email


@dataclass
class World:
    """What happens upstream, and who is called what when."""

    logins: dict[int, str] = field(default_factory=lambda: {1: "Ann", 2: "bob", 3: "cy-bot"})
    events: list[Event] = field(default_factory=list)

    def rename(self, account: int, login: str) -> None:
        """The account takes a login that nobody has, also one that somebody gave up."""
        if login not in self.logins.values():
            self.logins[account] = login

    def happen(self, kind: str, repo: str, account: int | None, name: str | None, email: str | None) -> None:
        at = DAWN + timedelta(hours=len(self.events))
        self.events.append({"kind": kind, "repo": repo, "at": at, "account": account, "name": name, "email": email})

    def fetched(self, events: Iterable[Event]) -> list[Event]:
        """The events as the API tells of them now."""
        return [event | {"login": self.logins.get(event["account"])} for event in events]


happenings = st.tuples(
    st.just("happen"),
    st.sampled_from(["author", "author", "committer", "issue"]),
    st.sampled_from(REPOS),
    st.sampled_from([1, 2, 3, None, None]),
    st.sampled_from(NAMES),
    st.sampled_from(EMAILS),
)
renames = st.tuples(st.just("rename"), st.sampled_from([1, 2, 3]), st.sampled_from(LOGINS))
stories = st.lists(st.one_of(happenings, happenings, renames, st.just(("day",)), st.just(("fresh",))), min_size=1, max_size=30)


def lakes(story: list[tuple[Any, ...]]) -> dict[str, list[Event]]:
    """The events as three lakes hold them: one that grew by the day, one that began again at times, one loaded at once."""
    world, grown, begun_again = World(), list[Event](), list[Event]()
    for what, *details in story:
        match what:
            case "happen":
                world.happen(*details)
            case "rename":
                world.rename(*details)
            case "day":
                grown += world.fetched(world.events[len(grown) :])
                begun_again += world.fetched(world.events[len(begun_again) :])
            case "fresh":
                begun_again = world.fetched(world.events)
    return {
        "grown": grown + world.fetched(world.events[len(grown) :]),
        "begun again": begun_again + world.fetched(world.events[len(begun_again) :]),
        "at once": world.fetched(world.events),
    }


Persons = dict[frozenset[int], tuple[str, bool]]


def found(events: list[Event]) -> Persons:
    """By the numbers of a person's events: how gold shows the person, and whether it is a bot."""
    commits, issues = [], []
    for number, event in enumerate(events):
        if event["kind"] == "issue":
            issues.append(
                {
                    "repo": event["repo"],
                    "repo_id": 1,
                    "number": number,
                    "state": "open",
                    "created_at": event["at"],
                    "load_seq": 1,
                }
                | {"author_id": event["account"], "author_login": event["login"]}
            )
            continue
        role, moment = ("author", "authored_at") if event["kind"] == "author" else ("committer", "committed_at")
        commits.append(
            {"repo": event["repo"], "sha": str(number), moment: event["at"], "is_reachable": True, "load_seq": 1}
            | {f"{role}_id": event["account"], f"{role}_login": event["login"]}
            | {f"{role}_name": event["name"], f"{role}_email": event["email"]}
        )
    with database() as connection:
        bronze(connection, commits=commits, issues=issues)
        table(connection, "bots", [{"person": name} for name in BOTS], person="varchar")
        table(connection, "not_bots", [{"person": name} for name in NOT_BOTS], person="varchar")
        RENDERING.build(connection, "silver_people")
        rows = connection.execute("""
            select events.number, people.person, people.is_bot, person_key
            from (
                select cast(sha as integer) as number, person_key from silver_commit_events where is_counted
                union all
                select number, person_key from silver_issues where person_key is not null
            ) as events
            left join silver_people as people using (person_key)
        """).fetchall()
    by_key = defaultdict(list)
    for number, person, is_bot, key in rows:
        by_key[key].append((number, person, is_bot))
    persons = {frozenset(number for number, _, _ in own): own[0][1:] for own in by_key.values()}
    assert len({person for person, _ in persons.values()}) == len(by_key)
    return persons


def expected(events: list[Event]) -> Persons:
    """The same by the gold contract, in plain loops."""
    of_email, of_name = defaultdict(set), defaultdict(set)

    def spoken(text: str | None) -> str | None:
        return text if text and text.strip() else None

    def full(name: str | None) -> bool:
        return name is not None and len(name.split()) > 1

    for event in events:
        if event["kind"] != "issue" and event["account"] is not None:
            if email := spoken(event["email"]):
                of_email[email.lower()].add(event["account"])
            if full(name := spoken(event["name"])):
                of_name[event["repo"], name].add(event["account"])

    by_key = defaultdict(list)
    for number, event in enumerate(events):
        account, login, name, email = event["account"], event["login"], spoken(event["name"]), spoken(event["email"])
        email = email and email.lower()
        if event["kind"] == "issue" and account is None:
            continue
        if account is None and email and (named := NOREPLY.fullmatch(email)):
            account, login = int(named[1]), named[2]
        handle = (login or name or "").lower()
        is_bot = bool({"bot", "robot"} & set(re.split("[-_]", handle))) or handle in BOTS
        label = login.lower() if login else re.sub(r"(\S+)@\S+", r"\1", name or email or "unknown")
        key: Any = account
        if key is None and email and len(of_email[email]) == 1:
            [key] = of_email[email]
        if key is None and full(name) and len(of_name[event["repo"], name]) == 1:
            [key] = of_name[event["repo"], name]
        if key is None:
            key = ("name", name) if full(name) else ("email", email) if email else ("name", name)
        by_key[key].append((number, bool(login), label, is_bot, handle))

    shown: dict[str, int] = {}
    persons: Persons = {}
    for key, own in sorted(by_key.items(), key=lambda entry: (entry[0] != ("name", None), entry[1][0])):
        label = max(own, key=lambda event: (event[1], event[0]))[2]
        shown[label] = shown.get(label, 0) + 1
        is_bot = any(event[3] for event in own) and not any(event[4] in NOT_BOTS for event in own) and key != ("name", None)
        person = label if shown[label] == 1 else f"{label} ({shown[label]})"
        persons[frozenset(event[0] for event in own)] = (person, is_bot)
    return persons


@settings(max_examples=10, deadline=None)
@given(story=stories)
def test_renames_takeovers_and_fresh_starts_change_no_person(story: list[tuple[Any, ...]]) -> None:
    held = {name: found(events) for name, events in lakes(story).items()}
    assert held["grown"].keys() == held["begun again"].keys() == held["at once"].keys()


@settings(max_examples=25, deadline=None)
@given(story=stories)
def test_persons_are_those_of_the_contract(story: list[tuple[Any, ...]]) -> None:
    events = lakes(story)["grown"]
    assert found(events) == expected(events)


numbered_names = st.sampled_from(["Jo", "Jo (2)", "Jo (3)", "Jo (2) (2)", "Jo (2) (3)", "unknown", "unknown (2)", None])


@settings(max_examples=10, deadline=None)
@given(people=st.lists(st.tuples(numbered_names, st.integers(1, 6).map(str)), min_size=2, max_size=12))
def test_nobody_is_shown_as_another(people: list[tuple[str | None, str]]) -> None:
    """Whoever chooses a name that looks numbered holds up no build; `found` checks that all are shown apart."""
    world = World()
    for name, email in people:
        world.happen("author", "acme/lake", None, name, email)
    assert sum(len(events) for events in found(world.fetched(world.events))) == len(people)
