"""How a project is, in a word, and what must be known about it.

Decisions, where the contract leaves room:
- A project of which no repository was ever found has no state.
- archived: every repository that was found is archived.
- The median of the windows before is that of those that begin on or after the first commit's day.
- Commits of "unknown" count as commits by people; the 10 commits of one_person are those that its
  absence factor is made from.
- A flag is set if it holds for one of the repositories or packages. Besides the three of the contract:
  disabled, not_found, archived_package, deprecated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from tests.truth.basics import Row, day_of, percentile
from tests.truth.compare import Text, Words
from tests.truth.figures import Scope, Week

FLAGS = frozenset({"one_person", "issues_off", "quarantined"})
"""The flags that the contract names; others are not compared."""


def state(scope: Scope) -> str | None:
    repos = [repo for repo in scope.repos.values() if repo.is_seen]
    if not repos:
        return None
    if all(repo.is_archived for repo in repos):
        return "archived"
    days = [day_of(commit.at) for commit in scope.commits if not scope.people.is_bot(commit.author)]
    now = _within_90(days, scope.as_of)
    if now == 0:
        return "quiet"
    ends = [scope.as_of - timedelta(days=90 * number) for number in range(1, 9)]
    before = [_within_90(days, end) for end in ends if end - timedelta(days=89) >= min(days)]
    usual = percentile(before, 50) if len(before) >= 4 else None
    return "slowing" if usual is not None and 2 * now < usual else "active"


def _within_90(days: list[date], last: date) -> int:
    return sum(last - timedelta(days=90) < day <= last for day in days)


def flags(scope: Scope) -> Iterator[str]:
    repos = [repo for repo in scope.repos.values() if repo.is_seen]
    packages = [package for package in scope.packages.values() if package.is_seen]
    figures = Week(scope, scope.as_of - timedelta(days=scope.as_of.weekday())).of_commits()
    factor = figures["absence_factor_365d"]
    held = {
        "one_person": factor.value == 1 and factor.n >= 10,
        "issues_off": any(not repo.has_issues for repo in repos),
        "disabled": any(repo.is_disabled for repo in repos),
        "not_found": any(member.is_gone for member in (*scope.repos.values(), *scope.packages.values())),
        "quarantined": any(package.status == "quarantined" for package in packages),
        "archived_package": any(package.status == "archived" for package in packages),
        "deprecated": any(package.status == "deprecated" for package in packages),
    }
    yield from (name for name, is_so in held.items() if is_so)


def row(scope: Scope) -> Row:
    """The row of fct_project_state."""
    words = Words(FLAGS.intersection(flags(scope)), FLAGS)
    return {"project": scope.name, "state": state(scope), "flags": words, "sentence": Text()}
