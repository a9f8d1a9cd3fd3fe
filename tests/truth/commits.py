"""Commits and who makes them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from tests.truth.basics import Row, day_of, days_between, dense_ranks, epoch, fewest, moment, months_between
from tests.truth.known import KnownRepo
from tests.truth.people import UNKNOWN, Key, People, dates

Add = Callable[..., None]
WINDOWS = (90, 365, 0)
"""Of fct_people; 0 is all time."""


@dataclass(frozen=True)
class Authored:
    """A commit with an author date that is sound."""

    at: int
    author: Key
    coauthors: frozenset[Key]


def authored(repos: Mapping[str, KnownRepo], people: People) -> list[Authored]:
    """The commits of some repositories in the order of their author dates, each id once.

    Decision: of a commit that is in two repositories of a project, the author is taken from the first one listed.
    """
    found: dict[str, Authored] = {}
    for name, repo in repos.items():
        for commit in repo.commits.values():
            at = dates(commit, people.end)[0]
            if at is not None and commit.sha not in found:
                coauthors = frozenset(people.coauthors(name, commit))
                found[commit.sha] = Authored(at, people.key(name, commit.author), coauthors)
    return sorted(found.values(), key=lambda commit: commit.at)


class Commits:
    """The tables of one repository."""

    def __init__(self, name: str, repo: KnownRepo, people: People, as_of: date, add: Add) -> None:
        self.name, self.repo, self.people, self.as_of, self.add = name, repo, people, as_of, add

    def tables(self) -> None:
        by_author, by_committer = [], []
        for commit in self.repo.commits.values():
            authored_at, committed_at = dates(commit, self.people.end)
            if authored_at is not None:
                by_author.append((self.people.key(self.name, commit.author), day_of(authored_at)))
            if committed_at is not None:
                by_committer.append((self.people.key(self.name, commit.committer), day_of(committed_at)))
        self.trend("fct_all_time_author_commits_trend", "commit_author_date", by_author)
        self.trend("fct_all_time_committer_commits_trend", "commit_committer_date", by_committer)
        self.leaders("fct_num_author_commits_by_repo", "author", [who for who, _ in by_author])
        self.leaders("fct_num_committer_commits_by_repo", "committer", [who for who, _ in by_committer])
        contributors = [(who, day) for who, day in by_author if self.people.is_contributor(who)]
        self.absence(contributors)
        self.absence_trend([day for _, day in by_author], contributors)
        self.contributors(contributors)
        self.first_commits(contributors)

    def trend(self, table: str, column: str, commits: list[tuple[Key, date]]) -> None:
        every = Counter(day for _, day in commits)
        by_people = Counter(day for who, day in commits if not self.people.is_bot(who))
        for day in days_between(min(every), self.as_of) if every else ():
            self.add(table, repo=self.name, **{column: day}, num_commits=every[day], num_commits_by_people=by_people[day])

    def leaders(self, table: str, column: str, keys: list[Key]) -> None:
        counts = Counter(keys)
        ranks = dense_ranks({key: count for key, count in counts.items() if self.people.is_contributor(key)})
        for key, count in counts.items():
            row = {"is_bot": self.people.is_bot(key), "num_commits": count, "rank": ranks.get(key)}
            self.add(table, repo=self.name, **{column: self.people.show(key)}, **row)

    def absence(self, contributors: list[tuple[Key, date]]) -> None:
        """Decision: commits by "unknown" are in no figure about contributors, so not in its sum either."""
        for window in (30, 90, 365, 0):
            first = self.as_of - timedelta(days=window - 1) if window else date.min
            counts = Counter(who for who, day in contributors if day >= first)
            self.add(
                "fct_contributor_absence_factor",
                repo=self.name,
                window_days=window,
                factor=fewest(counts.values()),
                contributors=len(counts),
                commits=counts.total(),
            )

    def absence_trend(self, days: list[date], contributors: list[tuple[Key, date]]) -> None:
        """Decision: the months begin with the first commit of all, a bot's too."""
        for month in months_between(min(days), self.as_of) if days else ():
            last = min((month + timedelta(days=32)).replace(day=1) - timedelta(days=1), self.as_of)
            counts = Counter(who for who, day in contributors if last - timedelta(days=364) <= day <= last)
            self.add(
                "fct_absence_factor_trend",
                repo=self.name,
                month=month,
                factor=fewest(counts.values()),
                contributors=len(counts),
                commits=counts.total(),
            )

    def contributors(self, contributors: list[tuple[Key, date]]) -> None:
        active: dict[date, set[Key]] = defaultdict(set)
        for who, day in contributors:
            active[day.replace(day=1)].add(who)
        ever: set[Key] = set()
        before: set[Key] = set()
        for month in months_between(min(active), self.as_of) if active else ():
            now = active.get(month, set())
            new = now - ever
            self.add(
                "fct_contributors",
                repo=self.name,
                month=month,
                active=len(now),
                new=len(new),
                returning=len(now) - len(new),
                inactive=len(before - now),
            )
            ever |= now
            before = now

    def first_commits(self, contributors: list[tuple[Key, date]]) -> None:
        first: dict[Key, date] = {}
        for who, day in contributors:
            first[who] = min(day, first.get(who, day))
        for who, day in first.items():
            self.add("fct_first_commits", repo=self.name, author=self.people.show(who), first_commit_date=day)


@dataclass(frozen=True)
class Pool:
    """The commits of a scope, pooled, and what follows from all of them."""

    commits: Collection[Authored]
    people: People

    @cached_property
    def first(self) -> dict[Key, int]:
        """When each person's first commit in the scope was."""
        found: dict[Key, int] = {}
        for commit in self.commits:
            found.setdefault(commit.author, commit.at)
        return found

    @cached_property
    def last(self) -> dict[Key, int]:
        return {commit.author: commit.at for commit in self.commits}

    def carriers(self, counts: Mapping[Key, int]) -> set[Key]:
        """The fewest people behind half of the commits; ties by first commit, then by name."""
        order = sorted(counts, key=lambda who: (-counts[who], self.first[who], self.people.show(who)))
        return set(order[: fewest(counts.values()) or 0])

    def rows(self, as_of: date) -> Iterable[Row]:
        """Rows of fct_people without their scope.

        Decisions: a row is a person with a commit in the window. "unknown" has none, and somebody
        who is credited in trailers alone has none: the rows of people are those that active_people
        counts. A commit counts as co-authored in the window in which it was authored.
        """
        for window in WINDOWS:
            begins = epoch(as_of - timedelta(days=window - 1)) if window else 0
            inside = [commit for commit in self.commits if commit.at >= begins]
            every = Counter(commit.author for commit in inside if commit.author != UNKNOWN)
            counts = {who: count for who, count in every.items() if self.people.is_contributor(who)}
            coauthored = Counter(who for commit in inside for who in commit.coauthors)
            total, ranks, carriers = sum(counts.values()), dense_ranks(counts), self.carriers(counts)
            for who, count in every.items():
                yield {
                    "window_days": window,
                    "person": self.people.show(who),
                    "commits": count,
                    "share": count / total if who in counts else None,
                    "rank": ranks.get(who),
                    "first_commit_at": moment(self.first[who]),
                    "last_commit_at": moment(self.last[who]),
                    "is_bot": self.people.is_bot(who),
                    "carries": who in carriers,
                    "is_new": self.first[who] >= begins,
                    "co_authored": coauthored[who],
                }
