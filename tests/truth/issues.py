"""Issues: opened, answered, closed, and how many are left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from lakepulse_simulator.world import Issue
from tests.truth.basics import (
    DAY,
    day_of,
    days_between,
    dense_ranks,
    end_of,
    epoch,
    moment,
    percentile,
    week_of,
    weeks_between,
)
from tests.truth.known import KnownRepo
from tests.truth.people import Key, People

Add = Callable[..., None]


@dataclass(frozen=True)
class Case:
    """An issue with what the tables need of it."""

    issue: Issue
    opener: Key | None
    closed_at: int | None
    """None too if it closed after `as_of`."""
    answered_at: int | None
    """The first comment by a known person who is no bot and did not open it."""
    is_imported: bool
    """It is older than its repository."""

    @property
    def opened_at(self) -> int:
        return self.issue.created_at

    @property
    def is_judged(self) -> bool:
        """Whether it says something about how fast issues are answered."""
        return not self.is_imported and (self.answered_at is None or self.answered_at >= self.opened_at)

    @property
    def seconds_open(self) -> int | None:
        """How long it took to close it; None if it is open, or if that says nothing."""
        if self.closed_at is None or self.is_imported or self.closed_at < self.opened_at:
            return None
        return self.closed_at - self.opened_at

    def is_open(self, end: int) -> bool:
        return self.opened_at < end and (self.closed_at is None or self.closed_at >= end)


def cases(repo: KnownRepo, people: People) -> list[Case]:
    """A repository's issues.

    Decision: none while its issues are switched off, as a fresh lake would have it, also those of before.
    """
    if not repo.has_issues:
        return []
    answers = _answers(repo, people)
    found = []
    for issue in repo.issues.values():
        if not issue.is_pull and issue.created_at < people.end:
            closed_at = issue.closed_at if issue.closed_at is not None and issue.closed_at < people.end else None
            is_imported = repo.created_at is not None and issue.created_at < repo.created_at
            found.append(Case(issue, people.user(issue.user), closed_at, answers.get(issue.number), is_imported))
    return found


def _answers(repo: KnownRepo, people: People) -> dict[int, int]:
    first: dict[int, int] = {}
    for comment in repo.comments.values():
        issue, writer = repo.issues.get(comment.number), people.user(comment.user)
        if issue is None or writer is None or comment.created_at >= people.end or people.is_bot(writer):
            continue
        if writer != people.user(issue.user):
            first[comment.number] = min(comment.created_at, first.get(comment.number, comment.created_at))
    return first


class Issues:
    """The tables of one repository."""

    def __init__(self, name: str, repo: KnownRepo, people: People, as_of: date, add: Add) -> None:
        self.name, self.repo, self.people, self.as_of, self.add = name, repo, people, as_of, add
        self.end = end_of(as_of)
        self.cases = cases(repo, people)
        closings = [case.closed_at for case in self.cases if case.closed_at is not None]
        openings = [case.opened_at for case in self.cases]
        # A closing may be dated before its opening, and is the first event then.
        self.first = min(openings + closings, default=None)

    def tables(self) -> None:
        self.trend()
        self.labels()
        self.responses()
        self.resolution()
        self.backlog()

    def trend(self) -> None:
        if self.first is None:
            return
        opened = Counter(day_of(case.opened_at) for case in self.cases)
        closed = Counter(day_of(case.closed_at) for case in self.cases if case.closed_at is not None)
        for day in days_between(day_of(self.first), self.as_of):
            self.add(
                "fct_all_time_issues_trend",
                repo=self.name,
                date=day,
                num_opened=opened[day],
                num_closed=closed[day],
                num_open=sum(case.is_open(end_of(day)) for case in self.cases),
            )
        for day in days_between(min(opened), self.as_of):
            week = sum(opened[day - timedelta(days=back)] for back in range(7))
            self.add("fct_last_7_days_fct_issues", repo=self.name, date=day, issues_last_7_days=week)

    def labels(self) -> None:
        counts = Counter(label for case in self.cases for label in set(case.issue.labels) if label)
        ranks = dense_ranks(counts)
        for label, count in counts.items():
            self.add("fct_num_labels_per_repo", repo=self.name, label=label, num_issues=count, rank=ranks[label])
        ages = [case.issue.updated_at - case.opened_at for case in self.cases if case.issue.updated_at < self.end]
        # Decision: an update before the opening is an impossible duration, and no row.
        for days, count in Counter(age // DAY for age in ages if age >= 0).items():
            self.add("fct_num_updated_issues", repo=self.name, num_days=days, num_issues=count)

    def responses(self) -> None:
        by_week: dict[date, list[Case]] = defaultdict(list)
        for case in self.cases:
            by_week[week_of(day_of(case.opened_at))].append(case)
            if case.closed_at is None and case.answered_at is None and case.is_judged:
                self.add(
                    "fct_unanswered_issues",
                    repo=self.name,
                    number=case.issue.number,
                    title=case.issue.title,
                    author=self.people.show(case.opener) if case.opener else None,
                    created_at=moment(case.opened_at),
                    age_days=(self.end - case.opened_at) / DAY,
                    comments=case.issue.comments,
                    url=self.repo.urls[case.issue.number],
                )
        for week in weeks_between(min(by_week), self.as_of) if by_week else ():
            opened = by_week.get(week, [])
            judged = [case for case in opened if case.is_judged]
            hours = [(case.answered_at - case.opened_at) / 3600 for case in judged if case.answered_at is not None]
            self.add(
                "fct_issue_response",
                repo=self.name,
                week=week,
                issues_opened=len(opened),
                answered=len(hours),
                unanswered=len(judged) - len(hours),
                p15_hours=percentile(hours, 15),
                p50_hours=percentile(hours, 50),
                p85_hours=percentile(hours, 85),
            )

    def resolution(self) -> None:
        by_week: dict[date, list[Case]] = defaultdict(list)
        for case in self.cases:
            if case.closed_at is not None:
                by_week[week_of(day_of(case.closed_at))].append(case)
        for week in weeks_between(min(by_week), self.as_of) if by_week else ():
            closed = by_week.get(week, [])
            days = [case.seconds_open / DAY for case in closed if case.seconds_open is not None]
            self.add(
                "fct_issue_resolution",
                repo=self.name,
                week=week,
                issues_closed=len(closed),
                p50_days=percentile(days, 50),
                p85_days=percentile(days, 85),
            )

    def backlog(self) -> None:
        """Imported issues are left to do like any other: they count here, with their age."""
        for week in weeks_between(day_of(self.first), self.as_of) if self.first is not None else ():
            first = epoch(week) - 7 * 7 * DAY
            end = min(epoch(week) + 7 * DAY, self.end)
            opened = sum(first <= case.opened_at < end for case in self.cases)
            closed = sum(case.closed_at is not None and first <= case.closed_at < end for case in self.cases)
            ages = [(end - case.opened_at) / DAY for case in self.cases if case.is_open(end)]
            self.add(
                "fct_issue_backlog",
                repo=self.name,
                week=week,
                opened_8w=opened,
                closed_8w=closed,
                backlog_index=closed / opened if opened else None,
                open_at_end=len(ages),
                median_age_days=percentile(ages, 50),
            )
