"""The figures of projects, repositories and packages, week by week.

Decisions, where the contract leaves room:
- A member is missing in a row if it was never found, or is not found now and the row ends after the
  day on which it last was. What is known of it counts, and the row is partial and names it.
- A project without a repository (or package) has status none for the figures that need one.
- `n` is: commits (of people, of contributors, or all) for the figures of commits; new people; versions
  in the window, or 1 for the newest; repositories whose stars are known; issues open, judged or opened;
  pull requests merged or ended; days that count in the window that ends with the row.
- Commits of "unknown" count as commits by people and in the sum of bot_share_365d, and are in no other
  figure of people.
- A scope's first commit is by its author date, or by its committer date where that is impossible.
- Stars of a repository that did not exist yet are no gap: it had none.
- days_since_release is "none" before the first final version; releases_365d is 0 then.
- A known break concerns downloads_change_year if a day of it lies from the first day of the older window
  to the last of the newer one.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from tests.truth import issues, pulls, releases
from tests.truth.basics import DAY, Row, change, day_of, end_of, epoch, fewest, percentile, weeks_between
from tests.truth.commits import Authored, Pool, authored
from tests.truth.compare import Text, Words
from tests.truth.downloads import counts
from tests.truth.known import Break, KnownPackage, KnownRepo, KnownScope
from tests.truth.people import UNKNOWN, People, dates

KINDS = frozenset({"project", "repo", "package"})
_REPOS, _PACKAGES, _ALL = ("project", "repo"), ("project", "package"), ("project", "repo", "package")

FIGURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "commits_28d": ("alive", _REPOS),
    "commits_365d": ("alive", _REPOS),
    "active_people_28d": ("alive", _REPOS),
    "active_people_365d": ("alive", _REPOS),
    "releases_365d": ("alive", _ALL),
    "days_since_release": ("alive", _ALL),
    "stars": ("adopted", _REPOS),
    "stars_gained_28d": ("adopted", _REPOS),
    "absence_factor_365d": ("carried", _REPOS),
    "top_share_365d": ("carried", _REPOS),
    "new_people_90d": ("carried", _REPOS),
    "bot_share_365d": ("carried", _REPOS),
    "open_issues": ("answered", _REPOS),
    "answered_7d_share_12w": ("answered", _REPOS),
    "first_response_median_hours_12w": ("answered", _REPOS),
    "closed_per_opened_12w": ("answered", _REPOS),
    "merge_median_days_12w": ("answered", _REPOS),
    "acceptance_12w": ("answered", _REPOS),
    "downloads_per_day_28d": ("adopted", _PACKAGES),
    "downloads_change_year": ("adopted", _PACKAGES),
}
"""Figure -> its question and the kinds of scope that have it."""

ISSUE_FIGURES = {"open_issues", "answered_7d_share_12w", "first_response_median_hours_12w", "closed_per_opened_12w"}
RELEASE_FIGURES = {"releases_365d", "days_since_release"}


def dimension() -> Iterator[Row]:
    """Rows of dim_figures."""
    for figure, (question, kinds) in FIGURES.items():
        words = {name: Text() for name in ("title", "unit", "better", "definition")}
        yield {"figure": figure, "question": question, "scope_kinds": Words(frozenset(kinds), KINDS), **words}


@dataclass(frozen=True)
class Figure:
    """One row's value, before its members are judged. `reason`: why it has no value, or what to know about it."""

    value: float | None
    n: int
    status: str = "known"
    reason: Text | None = None


NOTHING = Figure(None, 0, "unknown")
NONE = Figure(None, 0, "none")


@dataclass
class Scope:
    """A project, repository or package with what its members did, pooled."""

    kind: str
    name: str
    repos: Mapping[str, KnownRepo]
    packages: Mapping[str, KnownPackage]
    people: People
    as_of: date
    breaks: Sequence[Break] = ()

    def __post_init__(self) -> None:
        repos, packages, people, as_of = self.repos, self.packages, self.people, self.as_of
        seen = {name: repo for name, repo in repos.items() if repo.is_seen}
        self.commits: list[Authored] = authored(seen, people)
        self.times = [commit.at for commit in self.commits]
        self.pool = Pool(self.commits, people)
        self.cases = [case for repo in seen.values() for case in issues.cases(repo, people)]
        self.pulls = [pull for repo in seen.values() for pull in pulls.pulls(repo, people)]
        published = {name: releases.of_package(package, people.end) for name, package in packages.items()}
        self.publications = [
            *(found for repo in seen.values() for found in releases.of_repo(repo, people.end)),
            *(found for rows in published.values() for found in rows),
        ]
        self.versions = sorted(at.date() for at in releases.final_versions(self.publications).values())
        self.downloads = {name: counts(package, as_of) for name, package in packages.items() if package.is_seen}
        self.born = {name: min((found.at.date() for found in rows), default=None) for name, rows in published.items()}

    @property
    def first_event(self) -> date | None:
        """Decision: commits by the author date, or else by the committer date."""
        days = [day_of(at) for at in self.times]
        for repo in self.repos.values():
            for commit in repo.commits.values():
                authored_at, committed_at = dates(commit, self.people.end)
                if authored_at is None and committed_at is not None:
                    days.append(day_of(committed_at))
        days += [day_of(case.opened_at) for case in self.cases] + [day_of(pull.opened_at) for pull in self.pulls]
        days += [publication.at.date() for publication in self.publications]
        days += [day for categories in self.downloads.values() for found in categories.values() for day in found]
        return min(days, default=None)

    def rows(self) -> Iterator[Row]:
        """Rows of fct_figures."""
        first = self.first_event
        for week in weeks_between(first, self.as_of) if first else ():
            yield from Week(self, week).rows()


class Week:
    """The figures of a scope in one week, up to the day `last`."""

    def __init__(self, scope: Scope, week: date) -> None:
        self.scope, self.week = scope, week
        self.last = min(week + timedelta(days=6), scope.as_of)
        self.end = end_of(self.last)

    def rows(self) -> Iterator[Row]:
        figures = {**self.of_commits(), **self.of_releases(), **self.of_stars(), **self.of_issues(), **self.of_pulls()}
        rows = {name: self.judged(figure, self.members(name), self.last) for name, figure in figures.items()}
        rows |= self.of_downloads()
        for name, figure in rows.items():
            if self.scope.kind in FIGURES[name][1]:
                yield {
                    "scope_kind": self.scope.kind,
                    "scope": self.scope.name,
                    "figure": name,
                    "week": self.week,
                    "value": None if figure.value is None else float(figure.value),
                    "n": figure.n,
                    "status": figure.status,
                    "reason": figure.reason or Text(is_present=figure.status != "known"),
                }

    def members(self, figure: str) -> dict[str, KnownScope]:
        """Whose events a figure counts: a repository whose issues are switched off has none to count."""
        repos = self.scope.repos
        if figure in ISSUE_FIGURES:
            return {name: repo for name, repo in repos.items() if repo.has_issues or not repo.is_seen}
        return {**repos, **self.scope.packages} if figure in RELEASE_FIGURES else dict(repos)

    def judged(self, figure: Figure, members: Mapping[str, KnownScope], last: date) -> Figure:
        """The figure with what its members say about it: none, all or some of them missing."""
        if not members:
            return NONE
        missing = tuple(name for name, member in members.items() if member.is_missing(last))
        if not any(member.is_seen for member in members.values()):
            return Figure(None, 0, "unknown", Text(names=missing))
        if figure.status == "none":
            # What a member that is missing has might be there.
            return Figure(None, 0, "unknown", Text(names=missing)) if missing else figure
        if missing and figure.status in {"known", "partial"}:
            names = (*missing, *(figure.reason.names if figure.reason else ()))
            return Figure(figure.value, figure.n, "partial", Text(names=names))
        return figure

    # --- commits

    def inside(self, days: int) -> list[Authored]:
        times = self.scope.times
        first = bisect.bisect_left(times, epoch(self.last - timedelta(days=days - 1)))
        return self.scope.commits[first : bisect.bisect_left(times, self.end)]

    def of_commits(self) -> dict[str, Figure]:
        people = self.scope.people
        found: dict[str, Figure] = {}
        for days in (28, 365):
            by_people = [commit for commit in self.inside(days) if not people.is_bot(commit.author)]
            contributors = Counter(commit.author for commit in by_people if commit.author != UNKNOWN)
            found[f"commits_{days}d"] = Figure(len(by_people), len(by_people))
            found[f"active_people_{days}d"] = Figure(len(contributors), contributors.total())
        total = contributors.total()
        every = self.inside(365)
        top = max(contributors.values(), default=None)
        found["absence_factor_365d"] = known(fewest(contributors.values()), total)
        found["top_share_365d"] = known(top / total if top else None, total)
        found["bot_share_365d"] = known((len(every) - len(by_people)) / len(every) if every else None, len(every))
        begins = epoch(self.last - timedelta(days=89))
        new = sum(begins <= at < self.end and people.is_contributor(who) for who, at in self.scope.pool.first.items())
        found["new_people_90d"] = Figure(new, new)
        return found

    # --- releases and stars

    def of_releases(self) -> dict[str, Figure]:
        versions = self.scope.versions[: bisect.bisect_right(self.scope.versions, self.last)]
        year = sum(day > self.last - timedelta(days=365) for day in versions)
        newest = Figure((self.last - versions[-1]).days, 1) if versions else NONE
        return {"releases_365d": Figure(year, year), "days_since_release": newest}

    def of_stars(self) -> dict[str, Figure]:
        now, then = self.last, self.last - timedelta(days=28)
        stars, gains, without, unchanged = [], [], [], []
        for name, repo in self.scope.repos.items():
            if not repo.is_seen or (repo.created_at is not None and day_of(repo.created_at) > now):
                continue
            held, before = _stars(repo, now), _stars(repo, then)
            if repo.created_at is not None and day_of(repo.created_at) > then:
                before = 0
            if held is None:
                without.append(name)
            else:
                stars.append(held)
            if held is None or before is None:
                unchanged.append(name)
            else:
                gains.append(held - before)
        return {"stars": _summed(stars, without), "stars_gained_28d": _summed(gains, unchanged)}

    # --- issues and pull requests

    def of_issues(self) -> dict[str, Figure]:
        cases = self.scope.cases
        still = sum(case.is_open(self.end) for case in cases)
        asked = [
            case
            for case in cases
            if self.in_window(case.opened_at, 84, back=7) and case.is_judged and not self.scope.people.is_bot(case.opener)
        ]
        waits = [
            case.answered_at - case.opened_at if case.answered_at is not None and case.answered_at < self.end else math.inf
            for case in asked
        ]
        soon = sum(wait <= 7 * DAY for wait in waits)
        opened = sum(self.in_window(case.opened_at, 84) for case in cases)
        closed = sum(
            case.closed_at is not None
            and self.in_window(case.closed_at, 84)
            and case.issue.state_reason not in {"not_planned", "duplicate"}
            for case in cases
        )
        return {
            "open_issues": Figure(still, still),
            "answered_7d_share_12w": known(soon / len(asked) if asked else None, len(asked)),
            "first_response_median_hours_12w": _median_wait(waits),
            "closed_per_opened_12w": known(closed / opened if opened else None, opened),
        }

    def of_pulls(self) -> dict[str, Figure]:
        ended = [
            pull
            for pull in self.scope.pulls
            if pull.ended_at is not None and self.in_window(pull.ended_at, 84) and not self.scope.people.is_bot(pull.opener)
        ]
        days = [pull.seconds_to_merge / DAY for pull in ended if pull.seconds_to_merge is not None]
        merged = sum(pull.merged_at is not None for pull in ended)
        return {
            "merge_median_days_12w": known(percentile(days, 50), len(days)),
            "acceptance_12w": known(merged / len(ended) if ended else None, len(ended)),
        }

    def in_window(self, at: int, days: int, back: int = 0) -> bool:
        end = self.end - back * DAY
        return end - days * DAY <= at < end

    # --- downloads

    def of_downloads(self) -> dict[str, Figure]:
        last = min(self.week + timedelta(days=6), self.scope.as_of - timedelta(days=1))
        now, then = self.per_day(last), self.per_day(last - timedelta(days=364))
        mean = _by_days(fmean(now) if len(now) >= 21 else None, now)
        year = _by_days(change(fmean(now), fmean(then)) if min(len(now), len(then)) >= 21 else None, now, then)
        is_across = any(
            known_break.touches(name, last - timedelta(days=364 + 27), last)
            for known_break in self.scope.breaks
            for name in self.scope.downloads
        )
        if is_across and year.value is not None:
            year = Figure(year.value, year.n, "partial", year.reason or Text())
        return {
            # A run fetches the days before its own.
            "downloads_per_day_28d": self.judged(mean, self.scope.packages, last + timedelta(days=1)),
            "downloads_change_year": self.judged(year, self.scope.packages, last + timedelta(days=1)),
        }

    def per_day(self, last: date) -> list[int]:
        """Downloads of all packages on each of the 28 days that counts."""
        found = []
        for back in range(28):
            day = last - timedelta(days=back)
            needed = [
                name for name in self.scope.downloads if not self.scope.packages[name].is_missing(day + timedelta(days=1))
            ]
            by_package = [self.on(name, day) for name in needed]
            values = [count for count in by_package if count is not None]
            if needed and len(values) == len(needed):
                found.append(sum(values))
        return found

    def on(self, package: str, day: date) -> int | None:
        """A package's downloads on a day: 0 before its first release, None if the day is missing."""
        count = self.scope.downloads[package].get("without_mirrors", {}).get(day)
        born = self.scope.born[package]
        return 0 if count is None and born is not None and day < born else count


def known(value: float | None, n: int) -> Figure:
    """Known, or unknown without a value: the window was empty."""
    return Figure(value, n) if value is not None else Figure(None, n, "unknown")


def _stars(repo: KnownRepo, day: date) -> int | None:
    """The last snapshot of the 7 days that end with a day."""
    for back in range(7):
        found = repo.snapshots.get(day - timedelta(days=back))
        if found is not None:
            return int(found["stargazers_count"])
    return None


def _summed(values: list[int], without: list[str]) -> Figure:
    """Of all repositories together; those without a value are named."""
    if not values:
        return NOTHING
    if without:
        return Figure(sum(values), len(values), "partial", Text(names=tuple(without)))
    return Figure(sum(values), len(values))


def _median_wait(waits: list[float]) -> Figure:
    """In hours; none among those that have no answer is longer than another."""
    if not waits:
        return NOTHING
    if 2 * waits.count(math.inf) >= len(waits):
        return Figure(None, len(waits), "known", Text())
    median = percentile(waits, 50)
    return Figure(None if median is None else median / 3600, len(waits))


def _by_days(value: float | None, *windows: list[int]) -> Figure:
    """A figure of windows of 28 days, the newer one first: without some of the days it is partial, and says so."""
    short = tuple(f"{len(days)} of 28" for days in windows if len(days) < 28)
    if value is None:
        return Figure(None, len(windows[0]), "unknown")
    return Figure(value, len(windows[0]), "partial", Text(names=short)) if short else Figure(value, len(windows[0]))
