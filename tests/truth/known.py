"""`Known`: the memory of a fetcher that misses nothing, fed by looks at the simulated world."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from lakepulse_simulator.world import KINDS, Comment, Commit, Issue, Package, PackageFile, Release, Repo, World
from tests.truth.basics import Row, moment


@dataclass(frozen=True)
class Project:
    name: str
    repos: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Break:
    """A known break of the download counts; `package` None: of all packages."""

    package: str | None
    from_date: date
    to_date: date

    def touches(self, package: str, first: date, last: date) -> bool:
        """Whether it concerns a package on a day from `first` to `last`."""
        return self.package in (None, package) and self.from_date <= last and self.to_date >= first


@dataclass
class KnownScope:
    """A repository or package of the list. `seen_on` is the newest date of a run that found it."""

    seen_on: date | None = None
    is_gone: bool = False
    """The last look did not find it."""

    @property
    def is_seen(self) -> bool:
        return self.seen_on is not None

    def found(self, as_of: date) -> None:
        self.seen_on = max(as_of, self.seen_on or as_of)
        self.is_gone = False

    def is_missing(self, day: date) -> bool:
        """Whether what it did on a day is not known."""
        return self.seen_on is None or (self.is_gone and day > self.seen_on)


@dataclass
class KnownRepo(KnownScope):
    commits: dict[str, Commit] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    """Pull requests too, as GitHub numbers them together."""
    urls: dict[int, str] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    snapshots: dict[date, Row] = field(default_factory=dict)
    created_at: int | None = None
    is_archived: bool = False
    is_disabled: bool = False
    has_issues: bool = True


@dataclass
class KnownPackage(KnownScope):
    files: dict[str, PackageFile] = field(default_factory=dict)
    """Those that the index lists, by name."""
    former_files: dict[str, PackageFile] = field(default_factory=dict)
    """All that it ever listed: a deleted file does not move its version's date."""
    downloads: dict[str, dict[tuple[str, date], int]] = field(
        default_factory=lambda: {kind: {} for kind in (*KINDS, "version")}
    )
    status: str = "active"


class Known:
    """All that was seen of the listed repositories and packages.

    What a look no longer finds stays until a look that sweeps; commits, releases and files are
    listed in full each time, and so follow at once. What is not found keeps its data.

    Each look reads every list in full. A fetcher reads a list's first page when it has changed, so
    it sees the same as long as a list fits a page, or no account is renamed between two looks.
    """

    def __init__(self, projects: Sequence[Project]) -> None:
        self.projects = list(projects)
        self.repos = {name: KnownRepo() for project in projects for name in project.repos}
        self.packages = {name: KnownPackage() for project in projects for name in project.packages}

    def look(self, world: World, as_of: date, *, sweep: bool = False) -> None:
        """Fetch everything, as a run of that date does."""
        with world.lock:
            for name, known in self.repos.items():
                repo = world.find(name)
                if repo is None or repo.gone is not None:
                    known.is_gone = True
                else:
                    known.found(as_of)
                    _look_at_repo(known, repo, as_of, sweep=sweep)
            for name, package in self.packages.items():
                found = world.packages.get(name)
                if found is None or found.is_gone:
                    package.is_gone = True
                else:
                    package.found(as_of)
                    _look_at_package(package, found, as_of, world.date)


def _look_at_repo(known: KnownRepo, repo: Repo, as_of: date, *, sweep: bool) -> None:
    known.commits = {commit.sha: copy.copy(commit) for commit in repo.log(repo.head)}
    shown = {issue.number: issue for issue in repo.issues.values() if issue.is_pull or repo.has_issues}
    for issue in shown.values():
        before = known.issues.get(issue.number)
        known.issues[issue.number] = copy.copy(issue)
        # A rename of the repository changes addresses without touching the items, so they are learnt late.
        if before is None or sweep or before.updated_at != issue.updated_at:
            known.urls[issue.number] = f"https://github.com/{repo.name}/issues/{issue.number}"
    comments = {comment.id: comment for comment in repo.comments.values() if repo.shows(comment)}
    known.comments |= {key: copy.copy(comment) for key, comment in comments.items()}
    if sweep:
        # Where /issues answers 410 there is no list of issues to compare with.
        if repo.has_issues or repo.lists_pulls:
            known.issues = {number: issue for number, issue in known.issues.items() if number in shown}
        known.comments = {key: comment for key, comment in known.comments.items() if key in comments}
    known.releases = [copy.copy(release) for release in repo.releases.values() if not release.draft]
    # A run of an earlier date reads no repository object: today's figures must not stand at that day.
    if known.snapshots and as_of < max(known.snapshots):
        return
    known.created_at = repo.created_at
    known.is_archived, known.is_disabled, known.has_issues = repo.is_archived, repo.is_disabled, repo.has_issues
    known.snapshots[as_of] = {
        "forks_count": repo.forks,
        "size_kb": repo.size_kb,
        "watchers_count": repo.stars,
        "stargazers_count": repo.stars,
        "subscribers_count": repo.subscribers,
        "open_issues_count": repo.open_issues,
        "network_count": repo.network,
        "created_at": moment(repo.created_at),
        "pushed_at": moment(repo.pushed_at),
        "updated_at": moment(repo.updated_at),
    }


def _look_at_package(known: KnownPackage, package: Package, as_of: date, today: date) -> None:
    known.status = package.status
    # Decision: a quarantine hides the files, it does not delete them, so what was released stays.
    if package.status != "quarantined":
        known.files = {name: copy.copy(file) for name, file in package.files.items()}
        known.former_files |= known.files
    for kind in KINDS:
        for category, day, count in package.served(kind, today):
            known.downloads[kind][category, day] = count
    # A run fetches the full days before its own date, not before today.
    for day, version, count in package.served_versions(date.min, min(as_of, today) - timedelta(days=1)):
        known.downloads["version"][version, day] = count
