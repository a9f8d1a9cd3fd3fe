"""Pull requests: merged by GitHub, or by a commit that says so."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from lakepulse_simulator.world import Issue
from tests.truth.basics import DAY, day_of, moment, months_between, percentile
from tests.truth.known import KnownRepo
from tests.truth.people import Key, People, dates

Add = Callable[..., None]

_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b", re.IGNORECASE)
"""https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue"""
_SUBJECT = re.compile(r"\(#(\d+)\)$")


def closed_by(message: str) -> set[int]:
    """The numbers that a commit message closes."""
    subject = message.split("\n", 1)[0].rstrip()
    return {int(number) for number in (*_CLOSING.findall(message), *_SUBJECT.findall(subject))}


@dataclass(frozen=True)
class Pull:
    """A pull request; times after `as_of` are None."""

    issue: Issue
    opener: Key | None
    merged_at: int | None
    closed_at: int | None
    is_imported: bool

    @property
    def opened_at(self) -> int:
        return self.issue.created_at

    @property
    def ended_at(self) -> int | None:
        return self.merged_at if self.merged_at is not None else self.closed_at

    @property
    def seconds_to_merge(self) -> int | None:
        """None if it is not merged, or if that says nothing."""
        if self.merged_at is None or self.is_imported or self.merged_at < self.opened_at:
            return None
        return self.merged_at - self.opened_at


def pulls(repo: KnownRepo, people: People) -> list[Pull]:
    """A repository's pull requests, also if its issues are switched off."""
    closings: dict[int, list[int]] = defaultdict(list)
    for commit in repo.commits.values():
        committed_at = dates(commit, people.end)[1]
        if committed_at is not None:
            for number in closed_by(commit.message):
                closings[number].append(committed_at)
    found = []
    for issue in repo.issues.values():
        if not issue.is_pull or issue.created_at >= people.end:
            continue
        closed_at = issue.closed_at if issue.closed_at is not None and issue.closed_at < people.end else None
        merged_at = issue.merged_at if issue.merged_at is not None and issue.merged_at < people.end else None
        if issue.merged_at is None and closed_at is not None:
            times = closings.get(issue.number, [])
            if any(closed_at - 30 * DAY <= at <= closed_at + DAY for at in times):
                merged_at = closed_at
        is_imported = repo.created_at is not None and issue.created_at < repo.created_at
        found.append(Pull(issue, people.user(issue.user), merged_at, closed_at, is_imported))
    return found


class Pulls:
    """The table of one repository."""

    def __init__(self, name: str, repo: KnownRepo, people: People, as_of: date, add: Add) -> None:
        self.name, self.as_of, self.add, self.people = name, as_of, add, people
        self.pulls = pulls(repo, people)

    def tables(self) -> None:
        self.waiting()
        by_month: dict[date, list[Pull]] = defaultdict(list)
        for pull in self.pulls:
            by_month[day_of(pull.opened_at).replace(day=1)].append(pull)
        for month in months_between(min(by_month), self.as_of) if by_month else ():
            opened = by_month.get(month, [])
            merged = sum(pull.merged_at is not None for pull in opened)
            ended = sum(pull.ended_at is not None for pull in opened)
            days = [pull.seconds_to_merge / DAY for pull in opened if pull.seconds_to_merge is not None]
            self.add(
                "fct_change_requests",
                repo=self.name,
                month=month,
                opened=len(opened),
                merged=merged,
                closed_unmerged=ended - merged,
                still_open=len(opened) - ended,
                acceptance_ratio=merged / ended if ended else None,
                p50_days_to_merge=percentile(days, 50),
            )

    def waiting(self) -> None:
        """Those that are open. Decision: the address has the repository's name in the project list, which GitHub redirects."""
        for pull in self.pulls:
            if pull.ended_at is None:
                self.add(
                    "fct_open_change_requests",
                    repo=self.name,
                    number=pull.issue.number,
                    title=pull.issue.title,
                    author=self.people.show(pull.opener) if pull.opener else None,
                    is_bot=self.people.is_bot(pull.opener),
                    created_at=moment(pull.opened_at),
                    age_days=(self.people.end - pull.opened_at) / DAY,
                    url=f"https://github.com/{self.name}/pull/{pull.issue.number}",
                )
