"""What gold must show: plain loops over what upstream has shown, without any code of the product.

`Known` is the memory of a fetcher that misses nothing: give it each look at the world that the
product had, then ask `gold` for the tables. Rows are dicts with dates, naive UTC datetimes,
ints, floats, bools, strings and None.
"""

from __future__ import annotations

import copy
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lakepulse_simulator.world import DAY, KINDS, Comment, Commit, Issue, PackageFile, Release, User, World, epoch

Row = dict[str, Any]

GRAINS: dict[str, tuple[str, ...]] = {
    "fct_all_time_base_repo_stats": ("repo", "snapshot_date"),
    "fct_all_time_author_commits_trend": ("repo", "commit_author_date"),
    "fct_all_time_committer_commits_trend": ("repo", "commit_committer_date"),
    "fct_num_author_commits_by_repo": ("repo", "author"),
    "fct_num_committer_commits_by_repo": ("repo", "committer"),
    "fct_all_time_issues_trend": ("repo", "date"),
    "fct_last_7_days_fct_issues": ("repo", "date"),
    "fct_num_labels_per_repo": ("repo", "label"),
    "fct_num_updated_issues": ("repo", "num_days"),
    "fct_percent_change_downloads_overall": ("package", "category", "date"),
    "fct_issue_response": ("repo", "week"),
    "fct_issue_resolution": ("repo", "week"),
    "fct_issue_backlog": ("repo", "week"),
    "fct_change_requests": ("repo", "month"),
    "fct_contributor_absence_factor": ("repo", "window_days"),
    "fct_contributors": ("repo", "month"),
    "fct_first_commits": ("repo", "author"),
    "fct_releases": ("project", "source", "scope", "name"),
    "fct_downloads_by_python": ("package", "date", "python_minor"),
    "fct_downloads_by_system": ("package", "date", "system"),
    "fct_downloads_by_version": ("package", "date", "version"),
    "fct_release_uplift": ("package", "version"),
    "fct_download_anomalies": ("package", "category", "date"),
    "fct_unanswered_issues": ("repo", "number"),
    "dim_projects": ("project", "kind", "name"),
}
"""The tables that `gold` makes, and the columns that name a row."""


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


@dataclass
class KnownRepo:
    commits: dict[str, Commit] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    urls: dict[int, str] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    snapshots: dict[date, Row] = field(default_factory=dict)


@dataclass
class KnownPackage:
    files: list[PackageFile] = field(default_factory=list)
    downloads: dict[str, dict[tuple[str, date], int]] = field(
        default_factory=lambda: {kind: {} for kind in (*KINDS, "version")}
    )


class Known:
    """All that was seen of the listed repositories and packages.

    What a look no longer finds stays until a look that sweeps; commits, releases and files are
    listed whole each time, and so follow at once. A repository or package that is not there
    keeps what it had.
    """

    def __init__(self, projects: Sequence[Project]) -> None:
        self.projects = list(projects)
        self.repos: dict[str, KnownRepo] = {}
        self.packages: dict[str, KnownPackage] = {}

    def look(self, world: World, as_of: date, *, sweep: bool = False) -> None:
        """Fetch everything there is, as a run of that date does."""
        with world.lock:
            for project in self.projects:
                for name in project.repos:
                    self._look_at_repo(world, name, as_of, sweep)
                for name in project.packages:
                    self._look_at_package(world, name, as_of)

    def _look_at_repo(self, world: World, name: str, as_of: date, sweep: bool) -> None:
        repo = world.find(name)
        if repo is None or repo.gone is not None:
            return
        known = self.repos.setdefault(name, KnownRepo())
        known.commits = {commit.sha: commit for commit in repo.log(repo.head)}
        for issue in repo.issues.values():
            before = known.issues.get(issue.number)
            known.issues[issue.number] = copy.copy(issue)
            # A rename changes addresses without touching the items, so they are learnt late.
            if before is None or sweep or before.updated_at != issue.updated_at:
                known.urls[issue.number] = f"https://github.com/{repo.name}/issues/{issue.number}"
        for comment in repo.comments.values():
            known.comments[comment.id] = copy.copy(comment)
        if sweep:
            known.issues = {number: issue for number, issue in known.issues.items() if number in repo.issues}
            known.comments = {key: comment for key, comment in known.comments.items() if key in repo.comments}
        known.releases = [copy.copy(release) for release in repo.releases.values() if not release.draft]
        if not known.snapshots or as_of >= max(known.snapshots):
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

    def _look_at_package(self, world: World, name: str, as_of: date) -> None:
        package = world.packages.get(name)
        if package is None or package.is_gone:
            return
        known = self.packages.setdefault(name, KnownPackage())
        known.files = [copy.copy(file) for file in package.files.values()]
        for kind in KINDS:
            for category, day, count in package.served(kind, world.date):
                known.downloads[kind][category, day] = count
        # Whole days are asked for, of the run's date and not of today.
        for day, version, count in package.served_versions(date.min, min(as_of, world.date) - timedelta(days=1)):
            known.downloads["version"][version, day] = count


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def gold(known: Known, as_of: date, bots: Iterable[str] = ("web-flow",), breaks: Sequence[Break] = ()) -> dict[str, list[Row]]:
    """Every table of GRAINS, rows in no special order.

    `bots` are the keys that the seed names, lower case.
    """
    return _Gold(known, as_of, set(bots), breaks).tables()


# --- arithmetic


def percentile(values: Iterable[float], percent: int) -> float | None:
    """Nearest rank; None of nothing."""
    ordered = sorted(values)
    # Whole numbers, since 0.15 * n may lie just above the whole number that it should be.
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def change(current: float | None, previous: float | None) -> float | None:
    return None if current is None or not previous else 100 * (current / previous - 1)


def day_of(seconds: int) -> date:
    return date(1970, 1, 1) + timedelta(days=seconds // DAY)


def week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def weeks_between(first: date, last: date) -> list[date]:
    return [day for day in days_between(week_of(first), last) if day.weekday() == 0]


def months_between(first: date, last: date) -> list[date]:
    found, month = [], first.replace(day=1)
    while month <= last:
        found.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return found


def dense_ranks(counts: Mapping[str, int]) -> dict[str, int]:
    """1 for the greatest count; equal counts share a rank and leave no gap."""
    order = sorted(set(counts.values()), reverse=True)
    return {name: order.index(count) + 1 for name, count in counts.items()}


class _People:
    """Who is who: links from commits that carry a login, and who is a bot."""

    def __init__(self, known: Mapping[str, KnownRepo], end: int, bots: set[str]) -> None:
        self.by_email: dict[str, set[str]] = defaultdict(set)
        self.by_name: dict[str, set[str]] = defaultdict(set)
        self.bots = set(bots)
        for repo in known.values():
            for commit in repo.commits.values():
                for who, at in ((commit.author, commit.authored_at), (commit.committer, commit.committed_at)):
                    if at < end and who.user is not None:
                        self.link(who.name, who.email, who.user)
            for opened in repo.issues.values():
                if opened.created_at < end:
                    self.note(opened.user)
            for comment in repo.comments.values():
                if comment.created_at < end:
                    self.note(comment.user)

    def link(self, name: str, email: str, user: User) -> None:
        login = user.login.lower()
        if email:
            self.by_email[email.lower()].add(login)
        self.by_name[name].add(login)
        self.note(user)

    def note(self, user: User | None) -> None:
        if user is not None and user.type == "Bot":
            self.bots.add(user.login.lower())

    def key(self, name: str, email: str, user: User | None) -> str:
        if user is not None:
            return user.login.lower()
        for logins in (self.by_email.get(email.lower(), ()) if email else (), self.by_name.get(name, ())):
            if len(logins) == 1:
                return next(iter(logins))
        return name

    def is_bot(self, key: str) -> bool:
        return key.lower().endswith("[bot]") or key in self.bots


class _Gold:
    def __init__(self, known: Known, as_of: date, bots: set[str], breaks: Sequence[Break]) -> None:
        self.projects = known.projects
        self.as_of = as_of
        self.end = epoch(as_of) + DAY
        listed = [name for project in known.projects for name in project.repos]
        self.repos = {name: known.repos[name] for name in listed if name in known.repos}
        packages = [name for project in known.projects for name in project.packages]
        self.packages = {name: known.packages[name] for name in packages if name in known.packages}
        self.people = _People(self.repos, self.end, bots)
        self.breaks = breaks
        self.out: dict[str, list[Row]] = {table: [] for table in GRAINS}

    def tables(self) -> dict[str, list[Row]]:
        for project in self.projects:
            for kind, names in (("repo", project.repos), ("package", project.packages)):
                self.out["dim_projects"] += [{"project": project.name, "kind": kind, "name": name} for name in names]
            for name in project.repos:
                if name in self.repos:
                    self.github_releases(project.name, name)
            for name in project.packages:
                if name in self.packages:
                    self.package_releases(project.name, name)
        for name, repo in self.repos.items():
            self.snapshots(name, repo)
            self.commits(name, repo)
            issues = [i for i in repo.issues.values() if not i.is_pull and i.created_at < self.end]
            pulls = [i for i in repo.issues.values() if i.is_pull and i.created_at < self.end]
            self.issues(name, issues)
            self.labels(name, issues)
            self.responses(name, repo, issues)
            self.resolution(name, issues)
            self.backlog(name, issues)
            self.change_requests(name, pulls)
        for name, package in self.packages.items():
            self.downloads(name, package)
            self.shares(name, package, "python_minor", "fct_downloads_by_python")
            self.shares(name, package, "system", "fct_downloads_by_system")
            self.shares(name, package, "version", "fct_downloads_by_version")
            self.anomalies(name, package)
        return self.out

    def add(self, table: str, **row: Any) -> None:
        self.out[table].append(row)

    def snapshots(self, name: str, repo: KnownRepo) -> None:
        for day, row in repo.snapshots.items():
            if day <= self.as_of:
                self.add("fct_all_time_base_repo_stats", repo=name, snapshot_date=day, **row)

    # --- commits

    def commits(self, name: str, repo: KnownRepo) -> None:
        authored = [c for c in repo.commits.values() if c.authored_at < self.end]
        committed = [c for c in repo.commits.values() if c.committed_at < self.end]
        self.trend("fct_all_time_author_commits_trend", name, "commit_author_date", [day_of(c.authored_at) for c in authored])
        self.trend(
            "fct_all_time_committer_commits_trend", name, "commit_committer_date", [day_of(c.committed_at) for c in committed]
        )
        by_author = [(self.people.key(c.author.name, c.author.email, c.author.user), day_of(c.authored_at)) for c in authored]
        committers = [self.people.key(c.committer.name, c.committer.email, c.committer.user) for c in committed]
        self.leaders("fct_num_author_commits_by_repo", name, "author", [author for author, _ in by_author])
        self.leaders("fct_num_committer_commits_by_repo", name, "committer", committers)
        humans = [(author, day) for author, day in by_author if not self.people.is_bot(author)]
        self.absence(name, humans)
        self.contributors(name, humans)
        self.first_commits(name, humans)

    def trend(self, table: str, name: str, column: str, days: list[date]) -> None:
        counts = Counter(days)
        for day in days_between(min(counts), self.as_of) if counts else ():
            self.add(table, repo=name, **{column: day}, num_commits=counts[day])

    def leaders(self, table: str, name: str, column: str, keys: list[str]) -> None:
        counts = Counter(keys)
        ranks = dense_ranks({key: count for key, count in counts.items() if not self.people.is_bot(key)})
        for key, count in counts.items():
            row = {"is_bot": self.people.is_bot(key), "num_commits": count, "rank": ranks.get(key)}
            self.add(table, repo=name, **{column: key}, **row)

    def absence(self, name: str, humans: list[tuple[str, date]]) -> None:
        for window in (30, 90, 365, 0):
            first = self.as_of - timedelta(days=window - 1) if window else date.min
            counts = sorted(Counter(author for author, day in humans if day >= first).values(), reverse=True)
            total, reached, factor = sum(counts), 0, None
            for i, count in enumerate(counts, start=1):
                reached += count
                if 2 * reached >= total:
                    factor = i
                    break
            self.add(
                "fct_contributor_absence_factor",
                repo=name,
                window_days=window,
                factor=factor,
                contributors=len(counts),
                commits=total,
            )

    def contributors(self, name: str, humans: list[tuple[str, date]]) -> None:
        active: dict[date, set[str]] = defaultdict(set)
        for author, day in humans:
            active[day.replace(day=1)].add(author)
        ever: set[str] = set()
        before: set[str] = set()
        for month in months_between(min(active), self.as_of) if active else ():
            now = active.get(month, set())
            new = now - ever
            self.add(
                "fct_contributors",
                repo=name,
                month=month,
                active=len(now),
                new=len(new),
                returning=len(now) - len(new),
                inactive=len(before - now),
            )
            ever |= now
            before = now

    def first_commits(self, name: str, humans: list[tuple[str, date]]) -> None:
        first: dict[str, date] = {}
        for author, day in humans:
            first[author] = min(day, first.get(author, day))
        for author, day in first.items():
            self.add("fct_first_commits", repo=name, author=author, first_commit_date=day)

    # --- issues

    def closed_at(self, issue: Issue) -> int | None:
        """When it was closed, if that had happened by the end of the day."""
        return issue.closed_at if issue.closed_at is not None and issue.closed_at < self.end else None

    def issues(self, name: str, issues: list[Issue]) -> None:
        if not issues:
            return
        opened = Counter(day_of(i.created_at) for i in issues)
        closed = Counter(day_of(at) for i in issues if (at := self.closed_at(i)) is not None)
        for day in days_between(min(opened), self.as_of):
            end = epoch(day) + DAY
            still = sum(1 for i in issues if i.created_at < end and ((at := self.closed_at(i)) is None or at >= end))
            self.add(
                "fct_all_time_issues_trend",
                repo=name,
                date=day,
                num_opened=opened[day],
                num_closed=closed[day],
                num_open=still,
            )
            week = sum(opened[day - timedelta(days=back)] for back in range(7))
            self.add("fct_last_7_days_fct_issues", repo=name, date=day, issues_last_7_days=week)

    def labels(self, name: str, issues: list[Issue]) -> None:
        counts = Counter(label for issue in issues for label in set(issue.labels) if label)
        ranks = dense_ranks(counts)
        for label, count in counts.items():
            self.add("fct_num_labels_per_repo", repo=name, label=label, num_issues=count, rank=ranks[label])
        for days, count in Counter((i.updated_at - i.created_at) // DAY for i in issues if i.updated_at < self.end).items():
            self.add("fct_num_updated_issues", repo=name, num_days=days, num_issues=count)

    def answers(self, repo: KnownRepo) -> dict[int, int]:
        """Issue number -> time of the first comment by a known person who is no bot and did not open it."""
        first: dict[int, int] = {}
        for comment in repo.comments.values():
            issue = repo.issues.get(comment.number)
            if issue is None or comment.user is None or comment.created_at >= self.end:
                continue
            writer = comment.user.login.lower()
            if self.people.is_bot(writer) or (issue.user is not None and issue.user.login.lower() == writer):
                continue
            first[comment.number] = min(comment.created_at, first.get(comment.number, comment.created_at))
        return first

    def responses(self, name: str, repo: KnownRepo, issues: list[Issue]) -> None:
        answers = self.answers(repo)
        by_week: dict[date, list[Issue]] = defaultdict(list)
        for issue in issues:
            by_week[week_of(day_of(issue.created_at))].append(issue)
            if self.closed_at(issue) is None and issue.number not in answers:
                self.add(
                    "fct_unanswered_issues",
                    repo=name,
                    number=issue.number,
                    title=issue.title,
                    author=issue.user.login.lower() if issue.user else None,
                    created_at=moment(issue.created_at),
                    age_days=(self.end - issue.created_at) / DAY,
                    comments=issue.comments,
                    url=repo.urls[issue.number],
                )
        for week in weeks_between(min(by_week), self.as_of) if by_week else ():
            opened = by_week.get(week, [])
            hours = [(answers[i.number] - i.created_at) / 3600 for i in opened if i.number in answers]
            self.add(
                "fct_issue_response",
                repo=name,
                week=week,
                issues_opened=len(opened),
                answered=len(hours),
                unanswered=len(opened) - len(hours),
                p15_hours=percentile(hours, 15),
                p50_hours=percentile(hours, 50),
                p85_hours=percentile(hours, 85),
            )

    def resolution(self, name: str, issues: list[Issue]) -> None:
        by_week: dict[date, list[float]] = defaultdict(list)
        for issue in issues:
            at = self.closed_at(issue)
            if at is not None:
                by_week[week_of(day_of(at))].append((at - issue.created_at) / DAY)
        for week in weeks_between(min(by_week), self.as_of) if by_week else ():
            days = by_week.get(week, [])
            self.add(
                "fct_issue_resolution",
                repo=name,
                week=week,
                issues_closed=len(days),
                p50_days=percentile(days, 50),
                p85_days=percentile(days, 85),
            )

    def backlog(self, name: str, issues: list[Issue]) -> None:
        if not issues:
            return
        for week in weeks_between(day_of(min(i.created_at for i in issues)), self.as_of):
            first = epoch(week) - 7 * 7 * DAY
            end = min(epoch(week) + 7 * DAY, self.end)
            opened = sum(first <= i.created_at < end for i in issues)
            closed = sum(1 for i in issues if (at := self.closed_at(i)) is not None and first <= at < end)
            ages = [
                (end - i.created_at) / DAY
                for i in issues
                if i.created_at < end and ((at := self.closed_at(i)) is None or at >= end)
            ]
            self.add(
                "fct_issue_backlog",
                repo=name,
                week=week,
                opened_8w=opened,
                closed_8w=closed,
                backlog_index=closed / opened if opened else None,
                open_at_end=len(ages),
                median_age_days=percentile(ages, 50),
            )

    def change_requests(self, name: str, pulls: list[Issue]) -> None:
        by_month: dict[date, list[Issue]] = defaultdict(list)
        for pull in pulls:
            by_month[day_of(pull.created_at).replace(day=1)].append(pull)
        for month in months_between(min(by_month), self.as_of) if by_month else ():
            opened = by_month.get(month, [])
            days = [(p.merged_at - p.created_at) / DAY for p in opened if p.merged_at is not None and p.merged_at < self.end]
            unmerged = sum(1 for p in opened if p.merged_at is None and self.closed_at(p) is not None)
            ended = len(days) + unmerged
            self.add(
                "fct_change_requests",
                repo=name,
                month=month,
                opened=len(opened),
                merged=len(days),
                closed_unmerged=unmerged,
                still_open=len(opened) - ended,
                acceptance_ratio=len(days) / ended if ended else None,
                p50_days_to_merge=percentile(days, 50),
            )

    # --- releases

    def releases(self, project: str, source: str, scope: str, found: list[tuple[str, datetime, bool, bool]]) -> None:
        """`found`: name, time, whether it is a pre-release, whether it is yanked."""
        for name, at, is_prerelease, is_yanked in found:
            earlier = [other for _, other, is_pre, _ in found if not is_pre and other < at]
            self.add(
                "fct_releases",
                project=project,
                source=source,
                scope=scope,
                name=name,
                released_at=at,
                is_prerelease=is_prerelease,
                is_yanked=is_yanked,
                days_since_previous=(at - max(earlier)).total_seconds() / DAY if earlier else None,
            )

    def github_releases(self, project: str, name: str) -> None:
        # Of two releases of one tag the later one counts.
        by_tag: dict[str, tuple[str, datetime, bool, bool]] = {}
        for r in sorted(self.repos[name].releases, key=lambda r: (r.published_at or 0, r.id)):
            if r.published_at is not None and r.published_at < self.end:
                by_tag[r.tag] = (r.tag, moment(r.published_at), r.prerelease, False)
        self.releases(project, "github", name, list(by_tag.values()))

    def package_releases(self, project: str, name: str) -> None:
        found = []
        by_version: dict[str, list[PackageFile]] = defaultdict(list)
        for file in self.packages[name].files:
            if file.uploaded_at >= self.end:
                continue
            by_version[file.version].append(file)
        for version, files in by_version.items():
            at = min(moment(file.uploaded_at).replace(microsecond=file.microsecond) for file in files)
            is_prerelease = re.search(r"(a|b|rc|dev)\d*$", version) is not None
            found.append((version, at, is_prerelease, all(file.yanked for file in files)))
        self.releases(project, "pypi", name, found)
        self.uplift(name, found)

    def uplift(self, name: str, found: list[tuple[str, datetime, bool, bool]]) -> None:
        counts = self.counts(name, "without_mirrors")
        for version, at, is_prerelease, _ in found:
            if is_prerelease:
                continue
            day = at.date()
            before = self.week_sum(counts, day - timedelta(days=1))
            after = self.week_sum(counts, day + timedelta(days=7))
            self.add(
                "fct_release_uplift",
                package=name,
                version=version,
                released_at=at,
                downloads_7d_before=before,
                downloads_7d_after=after,
                uplift_percent=change(after, before),
            )

    # --- downloads

    def counts(self, name: str, category: str, kind: str = "overall") -> dict[date, int]:
        known = self.packages[name].downloads[kind]
        return {day: count for (found, day), count in known.items() if found == category and day <= self.as_of}

    def week_sum(self, counts: Mapping[date, int], last: date) -> int | None:
        """The sum of the 7 days that end with `last`, if all are there."""
        days = [last - timedelta(days=back) for back in range(7)]
        return sum(counts[day] for day in days) if all(day in counts for day in days) else None

    def downloads(self, name: str, package: KnownPackage) -> None:
        for category in {category for category, _ in package.downloads["overall"]}:
            counts = self.counts(name, category)
            for day, count in counts.items():
                week = self.week_sum(counts, day)
                self.add(
                    "fct_percent_change_downloads_overall",
                    package=name,
                    category=category,
                    date=day,
                    downloads=count,
                    percent_change_1d=change(count, counts.get(day - timedelta(days=1))),
                    downloads_7d=week,
                    percent_change_7d=change(week, self.week_sum(counts, day - timedelta(days=7))),
                )

    def shares(self, name: str, package: KnownPackage, kind: str, table: str) -> None:
        days: dict[date, dict[str, int]] = defaultdict(dict)
        for (category, day), count in package.downloads[kind].items():
            if day <= self.as_of:
                days[day]["unknown" if category == "null" else category] = count
        for day, counts in days.items():
            total = sum(counts.values())
            for category, count in counts.items():
                share = count / total if total else None
                self.add(table, package=name, date=day, **{kind: category}, downloads=count, share=share)

    def anomalies(self, name: str, package: KnownPackage) -> None:
        for category in {category for category, _ in package.downloads["overall"]}:
            counts = self.counts(name, category)
            for day, count in counts.items():
                before = [counts[d] for back in range(1, 29) if (d := day - timedelta(days=back)) in counts]
                median = percentile(before, 50)
                mad = None if median is None else percentile([abs(value - median) for value in before], 50)
                score = None
                if median is not None and mad and len(before) >= 21:
                    score = (count - median) / (1.4826 * mad)
                is_break = any(b.package in (None, name) and b.from_date <= day <= b.to_date for b in self.breaks)
                self.add(
                    "fct_download_anomalies",
                    package=name,
                    category=category,
                    date=day,
                    downloads=count,
                    median_28d=median,
                    mad_28d=mad,
                    robust_z=score,
                    is_anomaly=score is not None and abs(score) > 3.5 and not is_break,
                )


# --- comparing


def differences(expected: Mapping[str, list[Row]], actual: Mapping[str, list[Row]], limit: int = 5) -> list[str]:
    """What differs between two golds, in words; empty if nothing does.

    Tables that only `actual` has are not looked at. Doubles are equal within 1e-6 relative;
    `actual` may hold aware times, which are compared in UTC.
    """
    found: list[str] = []
    for table, rows in expected.items():
        if table not in actual:
            found.append(f"{table}: missing")
            continue
        grain = GRAINS[table]
        wanted, given = _by_grain(rows, grain), _by_grain(actual[table], grain)
        if len(given) != len(actual[table]):
            found.append(f"{table}: {len(actual[table]) - len(given)} rows share a grain with another")
        told = [f"{table}: missing row {key}" for key in wanted.keys() - given.keys()]
        told += [f"{table}: surplus row {key}" for key in given.keys() - wanted.keys()]
        for key, row in wanted.items():
            for column, value in row.items():
                if key in given and not _equal(value, given[key].get(column)):
                    told.append(f"{table} {key}: {column} is {given[key].get(column)!r}, not {value!r}")
        found += sorted(told)[:limit]
        if len(told) > limit:
            found.append(f"{table}: {len(told) - limit} more differences")
    return found


def counted(expected: Mapping[str, list[Row]], actual: Mapping[str, list[Row]]) -> tuple[int, int, int]:
    """Rows that are due, how many of them are missing or other than due, and how many rows are there beyond them."""
    due = lost = surplus = 0
    for table, rows in expected.items():
        wanted, given = _by_grain(rows, GRAINS[table]), _by_grain(actual[table], GRAINS[table])
        due += len(wanted)
        lost += sum(
            key not in given or not all(_equal(value, given[key].get(column)) for column, value in row.items())
            for key, row in wanted.items()
        )
        surplus += len(actual[table]) - len(wanted.keys() & given.keys())
    return due, lost, surplus


def _by_grain(rows: Iterable[Row], grain: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[column] for column in grain): row for row in rows}


def _equal(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, float) and isinstance(given, int | float):
        return math.isclose(wanted, given, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(given, datetime) and given.tzinfo is not None:
        given = given.astimezone(UTC).replace(tzinfo=None)
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    return bool(wanted == given)
