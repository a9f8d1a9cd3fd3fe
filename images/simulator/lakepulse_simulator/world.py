"""What exists upstream: repositories, packages and the ways in which they change.

Times are whole seconds since the epoch, UTC; every method that needs one takes `at`, or else
moves the world's clock on by a minute. Each change of an item moves its `updated_at`.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

DAY = 86_400
KINDS = ("overall", "python_minor", "system")


def epoch(day: date) -> int:
    """Seconds at the start of a UTC day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def day_of(seconds: int) -> date:
    """The UTC day of a time."""
    return datetime.fromtimestamp(seconds, UTC).date()


@lru_cache(maxsize=200_000)
def iso(seconds: int) -> str:
    """`2026-01-31T23:59:59Z`, as GitHub writes times."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> int:
    """Inverse of `iso`; also takes an offset or no zone (UTC).

    Raises:
        ValueError: not a time.
    """
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def normalise(package: str) -> str:
    """A package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


@dataclass(frozen=True, slots=True)
class User:
    """An account. `type` is `User`, `Bot` or `Organization`; an id may be missing in recorded data."""

    login: str
    id: int | None
    type: str = "User"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a commit names them; `user` is None if GitHub knows no account for the e-mail."""

    name: str
    email: str
    user: User | None = None


GHOST = None
WEB_FLOW = Person("GitHub", "noreply@github.com", User("web-flow", 19_864_447))
DEPENDABOT = Person(
    "dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", User("dependabot[bot]", 49_699_333, "Bot")
)
ACTIONS_BOT = User("github-actions[bot]", 41_898_282, "Bot")


def user(login: str, kind: str = "User") -> User:
    """An account whose id follows from its login."""
    return User(login, 1_000 + int(hashlib.sha256(login.lower().encode()).hexdigest()[:7], 16), kind)


def noreply(who: User) -> str:
    """The address that GitHub gives an account that hides its own."""
    return f"{who.id}+{who.login}@users.noreply.github.com"


def with_coauthors(message: str, *people: Person) -> str:
    """A commit message that credits further authors in its trailers."""
    return "\n".join([message, "", *(f"Co-authored-by: {who.name} <{who.email}>" for who in people)])


def person(login: str, name: str | None = None, email: str | None = None) -> Person:
    """A person with an account."""
    return Person(name or login.title(), email or f"{login.lower()}@example.org", user(login))


@dataclass(eq=False, slots=True)
class Commit:
    sha: str
    author: Person
    authored_at: int
    committer: Person
    committed_at: int
    message: str
    parents: tuple[str, ...]
    recorded: dict[str, Any] | None = None
    """The item as it was recorded from the real API, served as it is."""
    authored_text: str | None = None
    """Served in place of `authored_at`: a date that cannot be parsed."""
    committed_text: str | None = None
    json: bytes | None = None


@dataclass(eq=False, slots=True)
class Issue:
    """An issue or a pull request: GitHub numbers them together."""

    number: int
    id: int
    title: str
    user: User | None
    created_at: int
    updated_at: int
    is_pull: bool = False
    labels: list[str] = field(default_factory=list)
    association: str = "NONE"
    state: str = "open"
    state_reason: str | None = None
    closed_at: int | None = None
    merged_at: int | None = None
    merge_sha: str | None = None
    draft: bool = False
    body: str | None = None
    comments: int = 0
    json: bytes | None = None
    pull_json: bytes | None = None


@dataclass(eq=False, slots=True)
class Comment:
    id: int
    number: int
    user: User | None
    created_at: int
    updated_at: int
    body: str
    json: bytes | None = None


@dataclass(eq=False, slots=True)
class Release:
    id: int
    tag: str
    name: str | None
    user: User | None
    created_at: int
    published_at: int | None
    prerelease: bool = False
    draft: bool = False
    body: str = ""
    json: bytes | None = None


@dataclass(eq=False, slots=True)
class PackageFile:
    filename: str
    version: str
    packagetype: str
    uploaded_at: int
    requires_python: str | None = ">=3.9"
    size: int = 100_000
    yanked: bool = False
    yanked_reason: str | None = None

    @property
    def microsecond(self) -> int:
        """PyPI gives upload times to the microsecond."""
        return self.uploaded_at * 7_919 % 1_000_000


PackageStatus = Literal["active", "archived", "deprecated", "quarantined"]


@dataclass(eq=False)
class Package:
    """A package: files by name, and downloads as kind -> day -> category -> count."""

    name: str
    files: dict[str, PackageFile] = field(default_factory=dict)
    downloads: dict[str, dict[date, dict[str, int]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    is_gone: bool = False
    status: PackageStatus = "active"
    """The status marker of PEP 792; a quarantined package offers no files."""
    status_reason: str | None = None
    version: int = 0
    """Rises with each change, so that results derived from it can be cached."""

    def served(self, kind: str, today: date) -> list[tuple[str, date, int]]:
        """(category, day, downloads) of the 180 days before `today`, by category and day."""
        first = today - timedelta(days=180)
        rows = [
            (category, day, count)
            for day, categories in self.downloads[kind].items()
            if first <= day < today
            for category, count in categories.items()
        ]
        return sorted(rows)

    def served_versions(self, first: date, last: date) -> list[tuple[date, str, int]]:
        """(day, version, downloads) by day and version, without mirrors, of days that pypistats has too."""
        return [
            (day, version, count)
            for day in sorted(self.downloads["overall"])
            if first <= day <= last
            for version, count in sorted(self.by_version(day).items())
        ]

    def by_version(self, day: date) -> dict[str, int]:
        """The day's downloads without mirrors, split over the versions that were out by its end.

        Each final version takes a part, which grows with its age up to a half, of what the newer ones
        have left; the oldest takes the rest. Few want a pre-release once a final version is out.
        No version drops to zero.
        """
        left = self.downloads["overall"].get(day, {}).get("without_mirrors", 0)
        end = epoch(day) + DAY
        out: dict[str, int] = {}
        for file in self.files.values():
            if file.uploaded_at < end:
                out[file.version] = min(file.uploaded_at, out.get(file.version, end))
        # Pre-releases come first, and newer ones before older ones.
        ranks = sorted((re.fullmatch(r"[\d.]+", version) is not None, -at, version) for version, at in out.items())
        least = 1 if left >= len(ranks) else 0
        left -= least * len(ranks)
        found: dict[str, int] = {}
        for i, (is_final, at, version) in enumerate(ranks, start=1):
            age = (end + at) / DAY
            part = 0.5 * (1 - math.exp(-age / 20)) if is_final else 0.005 * math.exp(-age / 30)
            taken = left if i == len(ranks) else int(left * part)
            found[version] = least + taken
            left -= taken
        return {version: count for version, count in found.items() if count}


@dataclass(eq=False)
class Repo:
    """A repository; `name` is its present full name."""

    name: str
    id: int
    created_at: int
    updated_at: int
    pushed_at: int
    default_branch: str = "main"
    is_archived: bool = False
    is_disabled: bool = False
    stars: int = 0
    forks: int = 0
    subscribers: int = 0
    network: int = 0
    size_kb: int = 1_000
    description: str | None = None
    has_issues: bool = True
    lists_pulls: bool = False
    """Without issues: whether /issues still lists pull requests (200) or answers 410."""
    gone: int | None = None
    """404, 410 or 451: the status of every answer about it."""
    head: str | None = None
    commits: dict[str, Commit] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    moved_issues: dict[int, tuple[Repo, int]] = field(default_factory=dict)
    last_number: int = 0
    last_id: int = 0
    version: int = 0
    """Rises with each change, so that results derived from it can be cached."""
    derived: dict[Any, tuple[int, Any]] = field(default_factory=dict, repr=False)
    logs: dict[str, list[Commit]] = field(default_factory=dict, repr=False)

    def next_id(self) -> int:
        self.last_id += 1
        return self.id * 10_000 + self.last_id

    def derive(self, key: Any, make: Callable[[], Any]) -> Any:
        """`make()`, cached until the repository changes."""
        found = self.derived.get(key)
        if found is None or found[0] != self.version:
            found = (self.version, make())
            self.derived[key] = found
        return found[1]

    def log(self, sha: str | None) -> list[Commit]:
        """Commits that a commit reaches, itself first, in the order of `git log`."""
        if sha is None:
            return []
        found = self.logs.get(sha)
        if found is None:
            found = self.walk(sha)
            if len(self.logs) >= 64:
                self.logs.clear()
            self.logs[sha] = found
        return found

    def walk(self, sha: str) -> list[Commit]:
        order = 0
        start = self.commits[sha]
        heap = [(-start.committed_at, order, start)]
        seen = {sha}
        found = []
        while heap:
            commit = heapq.heappop(heap)[2]
            found.append(commit)
            for parent in commit.parents:
                if parent not in seen:
                    seen.add(parent)
                    order += 1
                    heapq.heappush(heap, (-self.commits[parent].committed_at, order, self.commits[parent]))
        return found

    @property
    def open_issues(self) -> int:
        """As GitHub counts: open issues and open pull requests."""
        return sum(issue.state == "open" and (issue.is_pull or self.has_issues) for issue in self.issues.values())

    def shows(self, comment: Comment) -> bool:
        """Whether the list of comments has it: not if its issue went with the switch."""
        return self.has_issues or self.issues[comment.number].is_pull


class World:
    """Everything that the simulator serves, at one date.

    `grow` continues the world by one day when the date moves on; a world without it changes by
    its methods only. `lock` guards reading and changing while a server answers from it.
    """

    def __init__(self, day: date, seed: int = 0) -> None:
        self.seed = seed
        self.date = day
        self.now = epoch(day)
        self.repos: dict[int, Repo] = {}
        self.names: dict[str, int] = {}
        """Present and former full names, lower case -> repository id."""
        self.packages: dict[str, Package] = {}
        self.logins: dict[int, str] = {}
        """Account id -> present login, of accounts that changed it."""
        self.lock = threading.RLock()

    # --- time

    def set_date(self, day: date) -> None:
        """Move to another day. Worlds that grow by themselves refuse to go back."""
        with self.lock:
            self.date = day
            self.now = max(self.now, epoch(day))

    def tick(self, at: int | None = None) -> int:
        """The time of a change: `at`, or a minute later than the last one."""
        if at is not None:
            self.now = max(self.now, at) if at <= epoch(self.date) + DAY else self.now
            return at
        self.now += 60
        return self.now

    # --- repositories

    def find(self, name: str) -> Repo | None:
        """A repository by present or former name, without case."""
        found = self.names.get(name.lower())
        return None if found is None else self.repos[found]

    def repo(self, name: str) -> Repo:
        """As `find`.

        Raises:
            KeyError: not found.
        """
        return self.repos[self.names[name.lower()]]

    def add_repo(self, name: str, at: int | None = None, repo_id: int | None = None) -> Repo:
        with self.lock:
            when = self.tick(at)
            if repo_id is None:
                repo_id = 10_000_000 + int(hashlib.sha256(name.lower().encode()).hexdigest()[:7], 16)
            repo = Repo(name, repo_id, when, when, when, description=f"The simulated {name}")
            self.repos[repo.id] = repo
            self.names[name.lower()] = repo.id
            return repo

    def rename_repo(self, name: str, new_name: str) -> Repo:
        """The old name is answered 301 from now on."""
        with self.lock:
            repo = self.repo(name)
            repo.name = new_name
            self.names[new_name.lower()] = repo.id
            repo.updated_at = self.tick()
            forget_json(repo)
            repo.version += 1
            return repo

    def set_gone(self, name: str, status: int | None = 404) -> None:
        """Answer 404, 410 or 451 for a repository; None brings it back."""
        with self.lock:
            self.repo(name).gone = status

    def archive(self, name: str, *, is_archived: bool = True) -> None:
        """Make a repository read-only, or writable again."""
        with self.lock:
            repo = self.repo(name)
            repo.is_archived = is_archived
            repo.updated_at = self.tick()
            repo.version += 1

    def disable(self, name: str, *, is_disabled: bool = True) -> None:
        """Set the flag `disabled`: GitHub's staff switched the repository off."""
        with self.lock:
            repo = self.repo(name)
            repo.is_disabled = is_disabled
            repo.updated_at = self.tick()
            repo.version += 1

    def switch_issues(self, name: str, on: bool, *, lists_pulls: bool = False) -> None:
        """Switch a repository's issues off or on.

        Off, its issues are hidden with their comments, and come back when they are switched on.
        `lists_pulls`: /issues goes on with the pull requests alone, as for a repository that never
        had issues of its own; else it answers 410.
        """
        with self.lock:
            repo = self.repo(name)
            repo.has_issues, repo.lists_pulls = on, lists_pulls
            repo.updated_at = self.tick()
            repo.version += 1

    # --- accounts

    def present(self, who: User | None) -> User | None:
        """An account under the login that it has now."""
        if who is None or who.id not in self.logins:
            return who
        return replace(who, login=self.logins[who.id])

    def rename_account(self, who: User, login: str) -> User:
        """Change an account's login: its id stays, and every item names it by the new one at once.

        No item's `updated_at` moves. The old login is free: an account of another id may take it.

        Raises:
            ValueError: an account without id, as recorded data have it.
        """
        if who.id is None:
            raise ValueError(f"{who.login} has no id by which it could be renamed")
        with self.lock:
            self.logins[who.id] = login
            for repo in self.repos.values():
                for commit in repo.commits.values():
                    if who.id in {p.user.id for p in (commit.author, commit.committer) if p.user}:
                        commit.author = self._present_person(commit.author)
                        commit.committer = self._present_person(commit.committer)
                        commit.json = None
                items: list[Issue | Comment | Release] = [
                    *repo.issues.values(),
                    *repo.comments.values(),
                    *repo.releases.values(),
                ]
                for item in items:
                    if item.user is not None and item.user.id == who.id:
                        item.user = self.present(item.user)
                        item.json = None
                        if isinstance(item, Issue):
                            item.pull_json = None
                repo.version += 1
            return replace(who, login=login)

    def _present_person(self, who: Person) -> Person:
        now = self.present(who.user)
        return who if now is who.user else replace(who, user=now)

    def star(self, name: str, count: int = 1) -> None:
        with self.lock:
            repo = self.repo(name)
            repo.stars = max(0, repo.stars + count)
            repo.updated_at = self.tick()
            repo.version += 1

    # --- commits

    def commit(
        self,
        name: str,
        author: Person,
        message: str = "Improve",
        at: int | None = None,
        *,
        authored_at: int | None = None,
        committer: Person = WEB_FLOW,
        parents: Sequence[str] | None = None,
        move_head: bool = True,
        authored_text: str | None = None,
        committed_text: str | None = None,
    ) -> Commit:
        """Add a commit, on the head unless `parents` are given.

        `authored_text` and `committed_text` are served in place of the dates: texts that are none.
        """
        with self.lock:
            repo = self.repo(name)
            when = self.tick(at)
            if parents is None:
                parents = (repo.head,) if repo.head else ()
            text = f"{repo.id}/{len(repo.commits)}/{author.name}/{when}/{message}/{'/'.join(parents)}"
            commit = Commit(
                sha=hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest(),
                author=self._present_person(author),
                authored_at=when if authored_at is None else authored_at,
                committer=self._present_person(committer),
                committed_at=when,
                message=message,
                parents=tuple(parents),
                authored_text=authored_text,
                committed_text=committed_text,
            )
            repo.commits[commit.sha] = commit
            if move_head:
                repo.head = commit.sha
                repo.pushed_at = max(repo.pushed_at, self.now)
                repo.version += 1
            return commit

    def commit_many(self, name: str, authors: Sequence[Person], at: int | None = None) -> list[Commit]:
        """Commits that share one second, as a rebase leaves them."""
        when = self.tick(at)
        return [self.commit(name, author, f"Part {i + 1} of {len(authors)}", when) for i, author in enumerate(authors)]

    def merge_late(self, name: str, authors: Sequence[Person], days_ago: float = 30, at: int | None = None) -> Commit:
        """Merge a branch whose commits were made long ago: their committer dates stay old."""
        with self.lock:
            repo = self.repo(name)
            when = self.tick(at)
            start = when - int(days_ago * DAY)
            base = next((c.sha for c in repo.log(repo.head) if c.committed_at <= start), None)
            tip = base
            for i, author in enumerate(authors):
                branch = self.commit(
                    name,
                    author,
                    f"Branch work {i + 1}",
                    start + i * 600,
                    committer=author,
                    parents=(tip,) if tip else (),
                    move_head=False,
                )
                tip = branch.sha
            parents = tuple(sha for sha in (repo.head, tip) if sha)
            return self.commit(name, authors[-1], "Merge branch 'work'", when, parents=parents)

    def force_push(self, name: str, drop: int = 1, authors: Sequence[Person] = (), at: int | None = None) -> None:
        """Take the newest `drop` commits of the first-parent line off the branch, then add others."""
        with self.lock:
            repo = self.repo(name)
            for _ in range(drop):
                if repo.head is None or not repo.commits[repo.head].parents:
                    break
                repo.head = repo.commits[repo.head].parents[0]
            repo.pushed_at = self.tick(at)
            repo.version += 1
            for author in authors:
                self.commit(name, author, "Rewrite", at)

    # --- issues, pull requests, comments

    def open_issue(
        self,
        name: str,
        title: str = "Something is wrong",
        opener: User | None = GHOST,
        at: int | None = None,
        *,
        labels: Iterable[str] = (),
        is_pull: bool = False,
        draft: bool = False,
        association: str = "NONE",
        body: str | None = None,
    ) -> Issue:
        with self.lock:
            repo = self.repo(name)
            when = self.tick(at)
            repo.last_number += 1
            issue = Issue(repo.last_number, repo.next_id(), title, self.present(opener), when, when, is_pull, list(labels))
            issue.draft, issue.association, issue.body = draft, association, body
            repo.issues[issue.number] = issue
            repo.version += 1
            return issue

    def open_pull(
        self, name: str, title: str = "Fix it", opener: User | None = GHOST, at: int | None = None, **more: Any
    ) -> Issue:
        return self.open_issue(name, title, opener, at, is_pull=True, **more)

    def import_issue(
        self,
        name: str,
        title: str = "Copied from the old tracker",
        opener: User | None = GHOST,
        at: int | None = None,
        *,
        created_at: int,
        closed_at: int | None = None,
        merged_at: int | None = None,
        comments: Iterable[tuple[User | None, int]] = (),
        **more: Any,
    ) -> Issue:
        """Bring in an issue or pull request, dated as its old tracker has it, with comments (writer, time).

        All of it is news: `updated_at` is the time of the import.
        """
        with self.lock:
            repo = self.repo(name)
            when = self.tick(at)
            issue = self.open_issue(name, title, opener, when, **more)
            issue.created_at = created_at
            for writer, written_at in comments:
                self.comment(name, issue.number, writer, when, created_at=written_at)
            if closed_at is not None or merged_at is not None:
                issue.state, issue.closed_at, issue.merged_at = "closed", closed_at or merged_at, merged_at
                issue.state_reason = None if issue.is_pull else "completed"
            self.touch(repo, issue, when)
            return issue

    def touch(self, repo: Repo, issue: Issue, at: int | None) -> int:
        """Note a change of an issue; its `updated_at` never goes back."""
        when = self.tick(at)
        issue.updated_at = max(issue.updated_at, when)
        issue.json = issue.pull_json = None
        repo.version += 1
        return when

    def edit_issue(
        self, name: str, number: int, at: int | None = None, *, title: str | None = None, labels: Iterable[str] | None = None
    ) -> Issue:
        with self.lock:
            repo = self.repo(name)
            issue = repo.issues[number]
            self.touch(repo, issue, at)
            if title is not None:
                issue.title = title
            if labels is not None:
                issue.labels = list(labels)
            return issue

    def close_issue(self, name: str, number: int, at: int | None = None, *, reason: str | None = "completed") -> Issue:
        """Close an issue, or a pull request without merging it."""
        with self.lock:
            repo = self.repo(name)
            issue = repo.issues[number]
            issue.closed_at = self.touch(repo, issue, at)
            issue.state = "closed"
            issue.state_reason = None if issue.is_pull else reason
            return issue

    def reopen_issue(self, name: str, number: int, at: int | None = None) -> Issue:
        with self.lock:
            repo = self.repo(name)
            issue = repo.issues[number]
            if issue.merged_at is not None:
                raise ValueError("a merged pull request cannot be opened again")
            self.touch(repo, issue, at)
            issue.closed_at = None
            issue.state = "open"
            issue.state_reason = None if issue.is_pull else "reopened"
            return issue

    def merge_pull(
        self,
        name: str,
        number: int,
        author: Person,
        at: int | None = None,
        *,
        committer: Person = WEB_FLOW,
        age: int = 3600,
        helpers: Sequence[Person] = (),
    ) -> Commit:
        """Squash a pull request into one commit, written `age` seconds before; `helpers` are credited in its trailers."""
        with self.lock:
            repo = self.repo(name)
            issue = repo.issues[number]
            when = self.touch(repo, issue, at)
            message = f"{issue.title} (#{number})"
            if helpers:
                message = with_coauthors(message, *helpers)
            commit = self.commit(name, author, message, when, authored_at=when - age, committer=committer)
            issue.closed_at = issue.merged_at = when
            issue.state = "closed"
            issue.draft = False
            issue.merge_sha = commit.sha
            return commit

    def merge_by_script(
        self,
        name: str,
        number: int,
        author: Person,
        at: int | None = None,
        *,
        message: str | None = None,
        committer: Person | None = None,
        lag: int = 60,
    ) -> Commit:
        """Land a pull request as a committer's script does: a commit names it, and `lag` seconds later it is closed.

        GitHub does not call it merged. The message is one of GitHub's closing forms unless it is given.
        """
        with self.lock:
            issue = self.repo(name).issues[number]
            when = self.tick(at)
            text = message or f"{issue.title}\n\nCloses #{number} from {author.name}/work."
            commit = self.commit(name, author, text, when, committer=committer or author)
            self.close_issue(name, number, when + lag)
            return commit

    def delete_issue(self, name: str, number: int) -> None:
        """Delete an issue and its comments; no list reports it."""
        with self.lock:
            repo = self.repo(name)
            del repo.issues[number]
            for key in [c.id for c in repo.comments.values() if c.number == number]:
                del repo.comments[key]
            repo.version += 1

    def transfer_issue(self, name: str, number: int, to: str, at: int | None = None) -> Issue:
        """Move an issue and its comments; it keeps author and opening time, and gets a new number and ids."""
        with self.lock:
            repo, target = self.repo(name), self.repo(to)
            old = repo.issues[number]
            if old.is_pull:
                raise ValueError("a pull request cannot be transferred")
            when = self.tick(at)
            target.last_number += 1
            issue = Issue(target.last_number, target.next_id(), old.title, old.user, old.created_at, when)
            issue.state, issue.state_reason, issue.closed_at = old.state, old.state_reason, old.closed_at
            issue.body, issue.comments = old.body, old.comments
            target.issues[issue.number] = issue
            for comment in sorted((c for c in repo.comments.values() if c.number == number), key=lambda c: c.id):
                moved = Comment(target.next_id(), issue.number, comment.user, comment.created_at, when, comment.body)
                target.comments[moved.id] = moved
            self.delete_issue(name, number)
            repo.moved_issues[number] = (target, issue.number)
            target.version += 1
            return issue

    def comment(
        self,
        name: str,
        number: int,
        writer: User | None,
        at: int | None = None,
        *,
        body: str = "Thanks!",
        created_at: int | None = None,
    ) -> Comment:
        """Add a comment; `created_at` dates one that an import brings in."""
        with self.lock:
            repo = self.repo(name)
            issue = repo.issues[number]
            when = self.touch(repo, issue, at)
            issue.comments += 1
            written = when if created_at is None else created_at
            comment = Comment(repo.next_id(), number, self.present(writer), written, when, body)
            repo.comments[comment.id] = comment
            return comment

    def edit_comment(self, name: str, comment_id: int, body: str, at: int | None = None) -> Comment:
        with self.lock:
            repo = self.repo(name)
            comment = repo.comments[comment_id]
            comment.updated_at = max(comment.updated_at, self.tick(at))
            comment.body, comment.json = body, None
            repo.version += 1
            return comment

    def delete_comment(self, name: str, comment_id: int, at: int | None = None) -> None:
        with self.lock:
            repo = self.repo(name)
            comment = repo.comments.pop(comment_id)
            issue = repo.issues[comment.number]
            self.touch(repo, issue, at)
            issue.comments -= 1

    # --- releases

    def release(
        self,
        name: str,
        tag: str,
        author: User | None = GHOST,
        at: int | None = None,
        *,
        prerelease: bool = False,
        draft: bool = False,
        title: str | None = None,
        created_at: int | None = None,
    ) -> Release:
        """`created_at` is the time of the tag's commit, by which GitHub sorts; default: the head's."""
        with self.lock:
            repo = self.repo(name)
            when = self.tick(at)
            head = repo.commits[repo.head].committed_at if repo.head else when
            made = head if created_at is None else created_at
            published = None if draft else when
            release = Release(
                repo.next_id(), tag, title or tag, self.present(author), min(made, when), published, prerelease, draft
            )
            repo.releases[release.id] = release
            if repo.head:
                repo.tags[tag] = repo.head
            repo.version += 1
            return release

    def delete_release(self, name: str, release_id: int) -> None:
        with self.lock:
            repo = self.repo(name)
            del repo.releases[release_id]
            repo.version += 1

    # --- packages

    def package(self, name: str) -> Package:
        """A package by name.

        Raises:
            KeyError: not found.
        """
        return self.packages[normalise(name)]

    def add_package(self, name: str) -> Package:
        with self.lock:
            return self.packages.setdefault(normalise(name), Package(normalise(name)))

    def upload(
        self,
        package: str,
        version: str,
        at: int | None = None,
        *,
        sdist: bool = True,
        wheels: Sequence[str] = ("py3-none-any",),
    ) -> list[PackageFile]:
        """Upload a version's files, a few seconds apart."""
        with self.lock:
            target = self.package(package)
            when = self.tick(at)
            stem = target.name.replace("-", "_")
            names = [(f"{stem}-{version}-{tag}.whl", "wheel") for tag in wheels]
            if sdist:
                names.append((f"{stem}-{version}.tar.gz", "sdist"))
            files = [PackageFile(name, version, kind, when + 2 * i) for i, (name, kind) in enumerate(names)]
            target.files |= {file.filename: file for file in files}
            target.version += 1
            return files

    def set_status(self, package: str, status: PackageStatus, reason: str | None = None) -> None:
        """Mark a package: quarantined, archived, deprecated, or active again."""
        with self.lock:
            target = self.package(package)
            target.status, target.status_reason = status, reason
            target.version += 1

    def yank(self, package: str, version: str, reason: str | None = None) -> None:
        with self.lock:
            target = self.package(package)
            for file in target.files.values():
                if file.version == version:
                    file.yanked, file.yanked_reason = True, reason
            target.version += 1

    def delete_file(self, package: str, filename: str) -> None:
        with self.lock:
            target = self.package(package)
            del target.files[filename]
            target.version += 1

    def set_downloads(self, package: str, kind: str, day: date, category: str, count: int | None) -> None:
        """Set or correct one count; None takes it away."""
        with self.lock:
            target = self.package(package)
            categories = target.downloads[kind].setdefault(day, {})
            if count is None:
                categories.pop(category, None)
            else:
                categories[category] = count
            target.version += 1

    def remove_download_day(self, package: str, day: date, kinds: Sequence[str] = KINDS) -> None:
        """Remove a day from pypistats."""
        with self.lock:
            target = self.package(package)
            for kind in kinds:
                target.downloads[kind].pop(day, None)
            target.version += 1


def forget_json(repo: Repo) -> None:
    """Items name their repository, so a rename changes them all."""
    for commit in repo.commits.values():
        commit.json = None
    for issue in repo.issues.values():
        issue.json = issue.pull_json = None
    for comment in repo.comments.values():
        comment.json = None
    for release in repo.releases.values():
        release.json = None
