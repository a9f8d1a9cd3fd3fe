"""Who is who, and who is a bot.

A person is a key: an account, or else a name or an e-mail address. Events are commits (once by
author, once by committer), issues and pull requests opened, and comments written.

Decisions, where the contract leaves room:
- Authors of releases are nobody's events: no figure is about them.
- An event has the other date of its commit where its own is impossible: the person is sound of it.
- Of two newest events at one time the greater text is shown. First events at one time are ordered by
  key: accounts by id, then e-mail addresses, then names.
- A name that is blank is none. A person keyed by e-mail is shown by its newest event that has a name.
- `not_bots` frees a person if it names any of the person's logins or names.
- An account without an id, which only recorded data have, is keyed by its login.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from lakepulse_simulator.world import Comment, Commit, Issue, Person, User
from tests.truth.basics import sound
from tests.truth.known import KnownRepo

Key = tuple[str, int | str]
UNKNOWN: Key = ("unknown", "")

_NOREPLY = re.compile(r"(\d+)\+([^@]+)@users\.noreply\.github\.com", re.IGNORECASE)
_ADDRESS = re.compile(r"([^\s<>@]+)@[^\s<>@]+")
_TRAILER = re.compile(r"^co-authored-by:\s*(.*?)\s*<([^>]*)>\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class _Account:
    """`login` is in lower case; `is_bot` says that the API calls it one."""

    key: Key
    login: str
    is_bot: bool


def _account(user: User | None, email: str = "") -> _Account | None:
    """Whose account the API names, or else the address."""
    named = _NOREPLY.fullmatch(email)
    if user is not None and user.id is not None:
        return _Account(("account", user.id), user.login.lower(), user.type == "Bot")
    if named:
        return _Account(("account", int(named[1])), named[2].lower(), user is not None and user.type == "Bot")
    if user is not None:
        return _Account(("login", user.login.lower()), user.login.lower(), user.type == "Bot")
    return None


def is_robot(word: str) -> bool:
    """Whether a login, or a name that stands for one, says that it is a bot's.

    Decision: a name is read like a login, between hyphens and underscores alone: Bot is a surname too.
    """
    lower = word.lower()
    return lower.endswith("[bot]") or not {"bot", "robot"}.isdisjoint(re.split("[-_]", lower))


@dataclass
class _Seen:
    """What a person's events amount to."""

    first: int
    words: set[str] = field(default_factory=set)
    """Logins, or names of events without an account."""
    shown: tuple[int, str] = (-1, "")
    is_bot: bool = False


class People:
    def __init__(self, repos: Mapping[str, KnownRepo], end: int, bots: Collection[str], not_bots: Collection[str] = ()) -> None:
        self.end = end
        self.bots = {name.lower() for name in bots}
        self.not_bots = {name.lower() for name in not_bots}
        self._by_email: dict[str, set[Key]] = defaultdict(set)
        self._by_name: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._seen: dict[Key, _Seen] = {}
        self._has_unknown = False
        for name, repo in repos.items():
            self._link(name, repo)
        for name, repo in repos.items():
            self._note_all(name, repo)
        self._shown = self._displayed()

    def _roles(self, repo: KnownRepo) -> Iterator[tuple[Person, int]]:
        """Each commit's author and committer, with the time of the event."""
        for commit in repo.commits.values():
            authored, committed = dates(commit, self.end)
            for who, own, other in ((commit.author, authored, committed), (commit.committer, committed, authored)):
                at = own if own is not None else other
                if at is not None:
                    yield who, at

    def _link(self, name: str, repo: KnownRepo) -> None:
        for who, _ in self._roles(repo):
            account = _account(who.user) if who.user else None
            if account is not None:
                if who.email:
                    self._by_email[who.email.lower()].add(account.key)
                self._by_name[name, who.name].add(account.key)

    def _note_all(self, name: str, repo: KnownRepo) -> None:
        for who, at in self._roles(repo):
            account = _account(who.user, who.email)
            key = self.key(name, who)
            if account is not None:
                self._note(key, at, account.login, (at, account.login), is_bot=account.is_bot)
            elif key == UNKNOWN:
                self._has_unknown = True
            elif key[0] in {"account", "login"}:
                # Led here by an address or a name: an account is shown by a login all the same.
                self._note(key, at, who.name)
            else:
                self._note(key, at, who.name, (at, who.name) if who.name.strip() else (-1, who.email.lower()))
        written: list[Issue | Comment] = [*repo.issues.values(), *repo.comments.values()]
        for item in written:
            account = _account(item.user)
            if account is not None and item.created_at < self.end:
                at = item.created_at
                self._note(account.key, at, account.login, (at, account.login), is_bot=account.is_bot)

    def _note(self, key: Key, at: int, word: str, shown: tuple[int, str] = (-1, ""), *, is_bot: bool = False) -> None:
        """An event of a person: the login or name that it is judged by, and what it shows the person as, at what time."""
        seen = self._seen.setdefault(key, _Seen(at))
        seen.first = min(seen.first, at)
        seen.words.add(word.lower())
        seen.shown = max(seen.shown, shown)
        seen.is_bot |= is_bot or is_robot(word) or word.lower() in self.bots

    def _displayed(self) -> dict[Key, str]:
        alike: dict[str, list[Key]] = defaultdict(list)
        for key, seen in self._seen.items():
            alike[_ADDRESS.sub(r"\1", seen.shown[1])].append(key)
        shown = {UNKNOWN: "unknown"}
        for text, keys in alike.items():
            # The name "unknown" belongs to the events by nobody known, if there are any.
            first = 2 if text == "unknown" and self._has_unknown else 1
            ordered = sorted(keys, key=lambda key: (self._seen[key].first, key[0], key[1]))
            for number, key in enumerate(ordered, start=first):
                shown[key] = text if number == 1 else f"{text} ({number})"
        return shown

    # --- what the tables need

    def key(self, repo: str, who: Person) -> Key:
        """The person of a commit's role in a repository."""
        account = _account(who.user, who.email)
        if account is not None:
            return account.key
        is_full_name = len(who.name.split()) >= 2
        by_email = self._by_email.get(who.email.lower(), set()) if who.email else set()
        if len(by_email) == 1:
            return next(iter(by_email))
        by_name = self._by_name.get((repo, who.name), set()) if is_full_name else set()
        if len(by_name) == 1:
            return next(iter(by_name))
        if is_full_name:
            return ("name", who.name)
        if who.email:
            return ("email", who.email.lower())
        return ("name", who.name) if who.name.strip() else UNKNOWN

    def user(self, user: User | None) -> Key | None:
        """The person of an issue or a comment; None if GitHub names no account."""
        account = _account(user)
        return account.key if account else None

    def is_bot(self, key: Key | None) -> bool:
        seen = self._seen.get(key) if key else None
        return seen is not None and seen.is_bot and self.not_bots.isdisjoint(seen.words)

    def is_contributor(self, key: Key) -> bool:
        """Whether figures about contributors count it: a person who is known, and no bot."""
        return key != UNKNOWN and not self.is_bot(key)

    def show(self, key: Key) -> str:
        return self._shown[key]

    def coauthors(self, repo: str, commit: Commit) -> set[Key]:
        """Whom a commit's trailers credit besides its author; they are links and events of nothing."""
        named = {self.key(repo, Person(name, email)) for name, email in _TRAILER.findall(commit.message)}
        return named - {self.key(repo, commit.author), UNKNOWN}


def dates(commit: Commit, end: int) -> tuple[int | None, int | None]:
    """Author date and committer date, each None if it is impossible."""
    authored = sound(commit.authored_at, commit.authored_text, end)
    return authored, sound(commit.committed_at, commit.committed_text, end)
