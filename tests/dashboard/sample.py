"""A small published lake with exactly the columns of the gold contract: two publications, a failed run, hostile names.

`python -m tests.dashboard.sample FOLDER` writes one to look at; the tests and the benchmark use `build`.
Values are random, not computed: they are plausible, repeatable, and only need to be shown right.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import sin
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog

from lakepulse.catalog import pyiceberg_properties
from lakepulse.data_dir import open_data_dir
from lakepulse.names import CATALOG, GOLD, PUBLICATIONS, RUNS
from lakepulse.reports import StepReport
from lakepulse.settings import Settings
from lakepulse_dbt.declared_figures import declared_figures

TEXT, COUNT, RATIO, DAY, FLAG = pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_()
MOMENT, INSTANT = pa.timestamp("us"), pa.timestamp("us", tz="UTC")

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"> **bold** [click](javascript:alert(1)) \u202eevil $x$ :red[x] `a`"

Projects = dict[str, tuple[dict[str, date], dict[str, date]]]
"""Repositories and packages of each project, with their first dates."""

PROJECTS: Projects = {
    "Apache Hudi": ({"apache/hudi": date(2020, 1, 6)}, {}),
    "Apache Iceberg": (
        {"apache/iceberg": date(2020, 3, 2), "apache/iceberg-python": date(2023, 9, 30)},
        {"pyiceberg": date(2024, 1, 15)},
    ),
    "Delta Lake": ({"delta-io/delta": date(2020, 4, 22)}, {"delta-spark": date(2024, 1, 15)}),
}
PEOPLE = [
    "ada",
    "brendan",
    "chloé",
    "dmitri",
    "emeka",
    "fatima",
    "goro",
    "hui",
    "ingrid",
    HOSTILE,
    "dependabot[bot]",
    "web-flow",
]
LABELS = ["bug", "enhancement", "question", "Spark", "docs", HOSTILE]
PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "unknown"]
SYSTEMS = ["Linux", "Darwin", "Windows", "other", "unknown"]

SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "fct_all_time_base_repo_stats": {
        "repo": TEXT, "snapshot_date": DAY, "forks_count": COUNT, "size_kb": COUNT, "watchers_count": COUNT,
        "stargazers_count": COUNT, "subscribers_count": COUNT, "open_issues_count": COUNT, "network_count": COUNT,
        "created_at": MOMENT, "pushed_at": MOMENT, "updated_at": MOMENT,
    },
    "fct_all_time_author_commits_trend": {
        "repo": TEXT, "commit_author_date": DAY, "num_commits": COUNT, "num_commits_by_people": COUNT,
    },
    "fct_all_time_committer_commits_trend": {
        "repo": TEXT, "commit_committer_date": DAY, "num_commits": COUNT, "num_commits_by_people": COUNT,
    },
    "fct_num_author_commits_by_repo": {"repo": TEXT, "author": TEXT, "is_bot": FLAG, "num_commits": COUNT, "rank": COUNT},
    "fct_num_committer_commits_by_repo": {
        "repo": TEXT, "committer": TEXT, "is_bot": FLAG, "num_commits": COUNT, "rank": COUNT,
    },
    "fct_all_time_issues_trend": {"repo": TEXT, "date": DAY, "num_opened": COUNT, "num_closed": COUNT, "num_open": COUNT},
    "fct_last_7_days_fct_issues": {"repo": TEXT, "date": DAY, "issues_last_7_days": COUNT},
    "fct_num_labels_per_repo": {"repo": TEXT, "label": TEXT, "num_issues": COUNT, "rank": COUNT},
    "fct_num_updated_issues": {"repo": TEXT, "num_days": COUNT, "num_issues": COUNT},
    "fct_percent_change_downloads_overall": {
        "package": TEXT, "category": TEXT, "date": DAY, "downloads": COUNT, "percent_change_1d": RATIO,
        "downloads_7d": COUNT, "percent_change_7d": RATIO,
    },
    "fct_issue_response": {
        "repo": TEXT, "week": DAY, "issues_opened": COUNT, "answered": COUNT, "unanswered": COUNT,
        "p15_hours": RATIO, "p50_hours": RATIO, "p85_hours": RATIO,
    },
    "fct_issue_resolution": {"repo": TEXT, "week": DAY, "issues_closed": COUNT, "p50_days": RATIO, "p85_days": RATIO},
    "fct_issue_backlog": {
        "repo": TEXT, "week": DAY, "opened_8w": COUNT, "closed_8w": COUNT, "backlog_index": RATIO,
        "open_at_end": COUNT, "median_age_days": RATIO,
    },
    "fct_change_requests": {
        "repo": TEXT, "month": DAY, "opened": COUNT, "merged": COUNT, "closed_unmerged": COUNT, "still_open": COUNT,
        "acceptance_ratio": RATIO, "p50_days_to_merge": RATIO,
    },
    "fct_absence_factor_trend": {"repo": TEXT, "month": DAY, "factor": COUNT, "contributors": COUNT, "commits": COUNT},
    "fct_contributor_absence_factor": {
        "repo": TEXT, "window_days": COUNT, "factor": COUNT, "contributors": COUNT, "commits": COUNT,
    },
    "fct_contributors": {"repo": TEXT, "month": DAY, "active": COUNT, "new": COUNT, "returning": COUNT, "inactive": COUNT},
    "fct_releases": {
        "project": TEXT, "source": TEXT, "scope": TEXT, "name": TEXT, "version": TEXT, "released_at": MOMENT,
        "is_prerelease": FLAG, "is_yanked": FLAG, "days_since_previous": RATIO,
    },
    "fct_downloads_by_python": {"package": TEXT, "date": DAY, "python_minor": TEXT, "downloads": COUNT, "share": RATIO},
    "fct_downloads_by_system": {"package": TEXT, "date": DAY, "system": TEXT, "downloads": COUNT, "share": RATIO},
    "fct_release_uplift": {
        "package": TEXT, "version": TEXT, "released_at": MOMENT, "downloads_7d_before": COUNT,
        "downloads_7d_after": COUNT, "uplift_percent": RATIO,
    },
    "fct_download_anomalies": {
        "package": TEXT, "category": TEXT, "date": DAY, "downloads": COUNT, "expected": RATIO, "spread": RATIO,
        "robust_z": RATIO, "is_anomaly": FLAG,
    },
    "fct_first_commits": {"repo": TEXT, "author": TEXT, "first_commit_date": DAY},
    "fct_known_breaks": {
        "id": TEXT, "source": TEXT, "scope": TEXT, "from_date": DAY, "to_date": DAY, "what_changed": TEXT,
        "effect": TEXT, "link": TEXT,
    },
    "fct_downloads_by_version": {"package": TEXT, "date": DAY, "version": TEXT, "downloads": COUNT, "share": RATIO},
    "fct_unanswered_issues": {
        "repo": TEXT, "number": COUNT, "title": TEXT, "author": TEXT, "created_at": MOMENT, "age_days": RATIO,
        "comments": COUNT, "url": TEXT,
    },
    "fct_open_change_requests": {
        "repo": TEXT, "number": COUNT, "title": TEXT, "author": TEXT, "is_bot": FLAG, "created_at": MOMENT, "age_days": RATIO,
        "url": TEXT,
    },
    "fct_data_freshness": {
        "source": TEXT, "scope": TEXT, "last_event_at": MOMENT, "last_fetched_at": MOMENT, "covered_from": MOMENT,
        "rows": COUNT, "lag_hours": RATIO, "stale_after_hours": COUNT, "is_stale": FLAG, "covered_to": MOMENT,
        "status": TEXT, "status_detail": TEXT, "upstream_status": TEXT,
    },
    "fct_data_quality": {
        "check_name": TEXT, "scope": TEXT, "checked_at": MOMENT, "failing_rows": COUNT, "status": TEXT, "reason": TEXT,
    },
    "dim_projects": {"project": TEXT, "kind": TEXT, "name": TEXT},
    "dim_figures": {
        "figure": TEXT, "title": TEXT, "question": TEXT, "unit": TEXT, "better": TEXT, "scope_kinds": TEXT, "definition": TEXT,
        "link": TEXT, "sources": TEXT, "window_days": COUNT, "headline": COUNT,
    },
    "fct_figures": {
        "scope_kind": TEXT, "scope": TEXT, "figure": TEXT, "week": DAY, "value": RATIO, "n": COUNT, "status": TEXT,
        "reason": TEXT,
    },
    "fct_people": {
        "scope_kind": TEXT, "scope": TEXT, "window_days": COUNT, "person": TEXT, "commits": COUNT, "share": RATIO,
        "rank": COUNT, "first_commit_at": MOMENT, "last_commit_at": MOMENT, "is_bot": FLAG, "carries": FLAG, "is_new": FLAG,
        "co_authored": COUNT,
    },
    "fct_project_state": {"project": TEXT, "state": TEXT, "flags": TEXT, "sentence": TEXT},
    "fct_project_releases": {
        "project": TEXT, "version": TEXT, "released_at": MOMENT, "is_on_pypi": FLAG, "is_on_github": FLAG,
    },
    "fct_news": {
        "project": TEXT, "scope": TEXT, "kind": TEXT, "happened_on": DAY, "subject": TEXT, "value": RATIO, "usual": RATIO,
    },
}  # fmt: skip

_PUBLICATIONS = {
    "run_id": TEXT, "as_of": DAY, "published_at": INSTANT, "is_demo": FLAG, "code_version": TEXT,
    "snapshots": pa.map_(TEXT, COUNT), "row_counts": pa.map_(TEXT, COUNT),
}  # fmt: skip
_RUNS = {
    "run_id": TEXT, "pipeline": TEXT, "is_demo": FLAG, "as_of": DAY, "started_at": INSTANT, "ended_at": INSTANT,
    "outcome": TEXT, "failed_step": TEXT, "message": TEXT, "steps": TEXT,
}  # fmt: skip

Row = tuple[Any, ...]

FIGURES = {name: figure for figures in declared_figures().values() for name, figure in figures.items()}
"""The figures as dbt declares them."""
_PLAUSIBLE = {"share": 0.5, "ratio": 1.0, "hours": 40.0, "days": 12.0, "percent": 20.0}
"""Unit -> a usual value; other units are counts."""


def days(first: date, last: date, step: int = 1) -> Iterator[date]:
    """Every `step`-th date from first to last."""
    while first <= last:
        yield first
        first += timedelta(days=step)


def months(first: date, last: date) -> Iterator[date]:
    """The first day of every month that touches first to last."""
    first = first.replace(day=1)
    while first <= last:
        yield first
        first = (first + timedelta(days=32)).replace(day=1)


def mondays(first: date, last: date) -> Iterator[date]:
    """The Monday of every week that touches first to last."""
    return days(first - timedelta(days=first.weekday()), last, 7)


def moment(day: date, hour: int = 9) -> datetime:
    """A naive UTC timestamp on a day, as in gold."""
    return datetime.combine(day, time(hour, 30))


class Sample:
    """The rows of one publication; `revised` includes what an upstream has corrected since the older one.

    `volume` multiplies the commits and issues of a day.
    """

    def __init__(self, as_of: date, *, revised: bool, projects: Projects = PROJECTS, volume: float = 1, seed: int = 7) -> None:
        self.as_of, self.revised, self.volume, self.seed = as_of, revised, volume, seed
        self.projects = projects
        self.repos = {repo: first for repos, _ in projects.values() for repo, first in repos.items()}
        self.packages = {name: first for _, names in projects.values() for name, first in names.items()}

    def draw(self, *key: object) -> random.Random:
        """Randomness that depends on the key alone, so that both publications agree on days they share."""
        return random.Random(repr((self.seed, *key)))

    def tables(self) -> dict[str, list[Row]]:
        """The rows of every gold table, with columns in the order of SCHEMAS."""
        return {table: list(getattr(self, f"_{table.removeprefix('fct_')}")()) for table in SCHEMAS}

    def _dim_projects(self) -> Iterable[Row]:
        for project, (repos, packages) in self.projects.items():
            yield from ((project, "repo", repo) for repo in repos)
            yield from ((project, "package", package) for package in packages)

    def _all_time_base_repo_stats(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            base = 900 + len(repo) * 150
            for i, day in enumerate(days(self.as_of - timedelta(days=200), self.as_of)):
                if i % 41 == 7:
                    continue
                stars = base + i * 3 + self.draw(repo, "stars", day).randrange(3)
                yield (
                    repo, day, stars // 3, 40_000 + 20 * i, stars, stars, stars // 40, 300 + i % 60, stars // 3,
                    moment(first), moment(day, 8), moment(day, 8),
                )  # fmt: skip

    def _commits(self, kind: str) -> Iterable[Row]:
        for repo, first in self.repos.items():
            for day in days(first, self.as_of):
                draw = self.draw(repo, kind, day)
                busy = 1 if day.weekday() < 5 else 0.25
                commits = int(draw.gammavariate(2.0, self.volume * busy * (2 + sin(day.toordinal() / 90))))
                yield repo, day, commits, commits * 4 // 5

    def _all_time_author_commits_trend(self) -> Iterable[Row]:
        return self._commits("author")

    def _all_time_committer_commits_trend(self) -> Iterable[Row]:
        return self._commits("committer")

    def _committed(self, kind: str) -> Iterable[Row]:
        for repo in self.repos:
            counts = {person: self.draw(repo, kind, person).randrange(20, 900) for person in PEOPLE}
            ranked = sorted({n for p, n in counts.items() if not p.endswith("[bot]") and p != "web-flow"}, reverse=True)
            for person, commits in counts.items():
                is_bot = person.endswith("[bot]") or person == "web-flow"
                yield repo, person, is_bot, commits, None if is_bot else ranked.index(commits) + 1

    def _num_author_commits_by_repo(self) -> Iterable[Row]:
        return self._committed("author")

    def _num_committer_commits_by_repo(self) -> Iterable[Row]:
        return self._committed("committer")

    def _issues(self) -> Iterator[tuple[str, date, int, int, int]]:
        for repo, first in self.repos.items():
            still_open = 0
            for day in days(first, self.as_of):
                draw = self.draw(repo, "issues", day)
                opened = int(self.volume * draw.gammavariate(1.5, 1.0 if day.weekday() < 5 else 0.3))
                closed = min(still_open + opened, int(self.volume * draw.gammavariate(1.4, 1.0 if day.weekday() < 5 else 0.3)))
                still_open += opened - closed
                yield repo, day, opened, closed, still_open

    def _all_time_issues_trend(self) -> Iterable[Row]:
        return self._issues()

    def _last_7_days_fct_issues(self) -> Iterable[Row]:
        recent: dict[str, list[int]] = {}
        for repo, day, opened, _, _ in self._issues():
            window = recent.setdefault(repo, [])
            window.append(opened)
            yield repo, day, sum(window[-7:])

    def _num_labels_per_repo(self) -> Iterable[Row]:
        for repo in self.repos:
            counts = {label: self.draw(repo, label).randrange(5, 400) for label in LABELS}
            ranked = sorted(set(counts.values()), reverse=True)
            yield from ((repo, label, n, ranked.index(n) + 1) for label, n in counts.items())

    def _num_updated_issues(self) -> Iterable[Row]:
        for repo in self.repos:
            for num_days in range(400):
                number = int(120 / (1 + num_days / 4)) + self.draw(repo, "updated", num_days).randrange(3)
                if number:
                    yield repo, num_days, number

    def downloads(self) -> Iterator[tuple[str, str, date, int]]:
        """Daily downloads with missing days, and one day that pypistats corrected later."""
        for package, first in self.packages.items():
            for category, factor in (("with_mirrors", 1.3), ("without_mirrors", 1.0)):
                for i, day in enumerate(days(first, self.as_of)):
                    if 200 <= i < 224 or i % 97 == 5:
                        continue
                    draw = self.draw(package, "downloads", day)
                    week = 1.0 if day.weekday() < 5 else 0.6
                    count = int((20_000 + 60 * i) * week * draw.uniform(0.9, 1.1) * factor)
                    if i % 173 == 60 or day == self.as_of - timedelta(days=2):
                        count *= 4
                    if self.revised and day == self.as_of - timedelta(days=20):
                        count += 111
                    yield package, category, day, count

    def _percent_change_downloads_overall(self) -> Iterable[Row]:
        had = {(package, category, day): count for package, category, day, count in self.downloads()}

        def week(package: str, category: str, last: date) -> int | None:
            counts = [had.get((package, category, last - timedelta(days=i))) for i in range(7)]
            return None if None in counts else sum(c for c in counts if c is not None)

        def change(now: int | None, then: int | None) -> float | None:
            return 100 * (now / then - 1) if now is not None and then else None

        for (package, category, day), count in had.items():
            before = had.get((package, category, day - timedelta(days=1)))
            this, last = week(package, category, day), week(package, category, day - timedelta(days=7))
            yield package, category, day, count, change(count, before), this, change(this, last)

    def _issue_response(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            for week in mondays(first, self.as_of):
                draw = self.draw(repo, "response", week)
                opened = draw.randrange(0, 14)
                answered = draw.randrange(0, opened + 1)
                p15 = draw.uniform(0.2, 4) if answered else None
                p50 = p15 + draw.uniform(4, 40) if p15 is not None else None
                p85 = p50 + draw.uniform(20, 300) if p50 is not None else None
                yield repo, week, opened, answered, opened - answered, p15, p50, p85

    def _issue_resolution(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            for week in mondays(first, self.as_of):
                draw = self.draw(repo, "resolution", week)
                closed = draw.randrange(0, 12)
                p50 = draw.uniform(2, 40) if closed else None
                yield repo, week, closed, p50, p50 + draw.uniform(10, 200) if p50 is not None else None

    def _issue_backlog(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            still_open = 20
            for week in mondays(first, self.as_of):
                draw = self.draw(repo, "backlog", week)
                opened, closed = draw.randrange(30, 70), draw.randrange(25, 68)
                still_open = max(5, still_open + (opened - closed) // 8)
                yield repo, week, opened, closed, closed / opened, still_open, draw.uniform(60, 200)

    def _change_requests(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            for month in months(first, self.as_of):
                draw = self.draw(repo, "pulls", month)
                merged, closed, waiting = draw.randrange(20, 90), draw.randrange(2, 20), draw.randrange(0, 9)
                ratio = merged / (merged + closed)
                yield repo, month, merged + closed + waiting, merged, closed, waiting, ratio, draw.uniform(0.5, 9)

    def _contributor_absence_factor(self) -> Iterable[Row]:
        for repo in self.repos:
            for window, people in ((30, 9), (90, 20), (365, 55), (0, 240)):
                draw = self.draw(repo, "absence", window)
                yield repo, window, draw.randrange(1, 2 + people // 4), people, people * draw.randrange(4, 9)

    def _absence_factor_trend(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            for month in months(first, self.as_of):
                draw = self.draw(repo, "absence", month)
                yield repo, month, draw.randrange(1, 9), draw.randrange(20, 60), draw.randrange(300, 900)

    def _contributors(self) -> Iterable[Row]:
        for repo, first in self.repos.items():
            before = 0
            for month in months(first, self.as_of):
                draw = self.draw(repo, "people", month)
                active = draw.randrange(12, 45)
                new = draw.randrange(1, active // 2)
                yield repo, month, active, new, active - new, draw.randrange(0, before) if before else 0
                before = active

    def _first_commits(self) -> Iterable[Row]:
        for repo in self.repos:
            for i, person in enumerate(PEOPLE[:10]):
                yield repo, person, self.as_of - timedelta(days=5 * i)

    def releases(self) -> Iterator[Row]:
        """Final releases about every ten weeks, with one pre-release and one yanked; the newest is 3 days old."""
        for project, (repos, packages) in self.projects.items():
            scopes = [("github", repo) for repo in list(repos)[:1]] + [("pypi", package) for package in packages]
            for source, scope in scopes:
                previous: date | None = None
                dates = [*days(self.as_of - timedelta(700), self.as_of - timedelta(40), 70), self.as_of - timedelta(3)]
                for i, day in enumerate(dates):
                    gap = float((day - previous).days) if previous else None
                    yield project, source, scope, f"{'v' if source == 'github' else ''}1.{i}.0", moment(day), False, i == 2, gap
                    previous = day
                yield project, source, scope, "2.0.0rc1", moment(self.as_of - timedelta(days=12)), True, False, 42.0

    def _releases(self) -> Iterable[Row]:
        for project, source, scope, name, *rest in self.releases():
            yield project, source, scope, name, name.removeprefix("v"), *rest

    def _shares(self, key: str, names: list[str]) -> Iterable[Row]:
        for package, category, day, count in self.downloads():
            if category == "with_mirrors" or day < self.as_of - timedelta(days=400):
                continue
            wave = day.toordinal() % 7 / 40
            weights = [self.draw(package, key, name).uniform(1, 8) * (1 + i * wave) for i, name in enumerate(names)]
            counts = [int(count * weight / sum(weights)) for weight in weights]
            yield from ((package, day, name, n, n / sum(counts)) for name, n in zip(names, counts, strict=True))

    def _downloads_by_python(self) -> Iterable[Row]:
        return self._shares("python", PYTHONS)

    def _downloads_by_system(self) -> Iterable[Row]:
        return self._shares("system", SYSTEMS)

    def _downloads_by_version(self) -> Iterable[Row]:
        """Only for pyiceberg: a version has a share from its release on, newer ones a larger share."""
        released = {
            name: at.date() for _, source, scope, name, at, *_ in self.releases() if (source, scope) == ("pypi", "pyiceberg")
        }
        for package, category, day, count in self.downloads():
            if package != "pyiceberg" or category == "with_mirrors" or day < self.as_of - timedelta(days=400):
                continue
            names = sorted((name for name, first in released.items() if first <= day), key=released.__getitem__)
            counts = [count * 2**i // 2 ** len(names) for i in range(len(names))]
            yield from ((package, day, name, n, n / sum(counts)) for name, n in zip(names, counts, strict=True))

    def _release_uplift(self) -> Iterable[Row]:
        for _, source, scope, name, at, is_prerelease, *_ in self.releases():
            if source != "pypi" or is_prerelease:
                continue
            draw = self.draw(scope, name)
            before = draw.randrange(150_000, 400_000)
            after = None if at.date() > self.as_of - timedelta(days=8) else int(before * draw.uniform(0.9, 1.4))
            yield scope, name, at, before, after, None if after is None else 100 * (after / before - 1)

    def _download_anomalies(self) -> Iterable[Row]:
        for package, category, day, count in self.downloads():
            i = (day - self.packages[package]).days
            odd = i % 173 == 60 or day == self.as_of - timedelta(days=2)
            expected = count / 4 if odd else count * 0.98
            yield package, category, day, count, expected, expected * 0.05, (count - expected) / (1.4826 * expected * 0.05), odd

    def _known_breaks(self) -> Iterable[Row]:
        yield (
            "pypistats-counting", "pypistats", "", date(2026, 8, 24), None, "pypistats changed how it counts",
            "Counts before and after are not comparable.", "https://github.com/psf/pypistats.org/issues/113",
        )  # fmt: skip
        yield (
            "hudi-jira", "github_issues", "apache/hudi", date(2025, 9, 1), date(2025, 11, 30),
            "Issues moved from JIRA to GitHub", "A wave of old issues appears as newly opened.", "https://github.com/apache/hudi/issues/13906",
        )  # fmt: skip

    def _unanswered_issues(self) -> Iterable[Row]:
        for repo in self.repos:
            for i in range(15):
                draw = self.draw(repo, "unanswered", i)
                age = draw.uniform(2, 900)
                opened = moment(self.as_of, 23) - timedelta(days=age)
                title = HOSTILE if i == 0 else f"Reading a table fails after schema change {i}"
                url = "javascript:alert(1)" if i == 1 else f"https://github.com/{repo}/issues/{100 + i}"
                yield repo, 100 + i, title, draw.choice(PEOPLE[:10]), opened, age, draw.randrange(3), url

    def _open_change_requests(self) -> Iterable[Row]:
        for repo in self.repos:
            for i in range(20):
                draw = self.draw(repo, "open", i)
                age = draw.uniform(1, 500)
                author = "dependabot[bot]" if i % 4 == 3 else draw.choice(PEOPLE[:10])
                opened, url = moment(self.as_of, 23) - timedelta(days=age), f"https://github.com/{repo}/pull/{500 + i}"
                yield repo, 500 + i, HOSTILE if i == 0 else f"Read faster {i}", author, i % 4 == 3, opened, age, url

    def _data_freshness(self) -> Iterable[Row]:
        fetched = moment(self.as_of, 6)
        sources = ["github_repo", "github_commits", "github_issues", "github_comments", "github_pulls", "github_releases"]
        for repo in self.repos:
            for source in sources:
                cut = moment(self.as_of - timedelta(days=30)) if (repo, source) == ("apache/hudi", "github_comments") else None
                yield source, repo, fetched - timedelta(hours=3), fetched, cut, 1000, 3.0, 48, False, None, "ok", None, None
        for package in self.packages:
            for source in ("pypistats_overall", "pypistats_python_minor", "pypistats_system", "pypi_releases"):
                stale = source == "pypistats_system"
                lag = 96 if stale else 24
                upstream = "active" if source == "pypi_releases" else None
                event = fetched - timedelta(hours=lag)
                yield source, package, event, fetched, None, 500, float(lag), 48, stale, None, "ok", None, upstream

    def _data_quality(self) -> Iterable[Row]:
        at = moment(self.as_of, 7)
        yield "commits_after_as_of", "apache/iceberg", at, 2, "left_out", "dated after the end of as_of"
        yield "github_issues_quarantined", "apache/hudi", at, 1, "held_back", "title is not a string"
        yield "commits_without_parent", "", at, 0, "ok", None

    def _dim_figures(self) -> Iterable[Row]:
        for name, figure in FIGURES.items():
            yield (
                name, figure.title, figure.question, figure.unit, figure.better, ", ".join(figure.scope_kinds),
                figure.definition, figure.link, ", ".join(figure.sources), figure.window_days, figure.headline,
            )  # fmt: skip

    def _scopes(self) -> Iterator[tuple[str, str, date, bool]]:
        """Kind, name, first date, and whether there is a package, of everything that has figures."""
        for project, (repos, packages) in self.projects.items():
            yield "project", project, min([*repos.values(), *packages.values()]), bool(packages)
            yield from (("repo", repo, first, False) for repo, first in repos.items())
            yield from (("package", package, first, True) for package, first in packages.items())

    def _figures(self) -> Iterable[Row]:
        for kind, scope, first, has_package in self._scopes():
            for name, figure in FIGURES.items():
                if kind not in figure.scope_kinds:
                    continue
                draw = self.draw(scope, name)
                for week in mondays(first, self.as_of):
                    value = _PLAUSIBLE.get(figure.unit, 400.0) * draw.uniform(0.8, 1.2)
                    value = value if figure.unit in _PLAUSIBLE else float(round(value))
                    if name.startswith("downloads") and not has_package:
                        yield kind, scope, name, week, None, 0, "none", "no package"
                    elif (scope, name) == ("Delta Lake", "first_response_median_hours_12w"):
                        yield kind, scope, name, week, None, 5, "unknown", "no answer to 4 of 5 issues"
                    elif (scope, name) == ("Apache Iceberg", "stars"):
                        yield kind, scope, name, week, value, 1, "partial", "no snapshot of apache/iceberg-python"
                    else:
                        yield kind, scope, name, week, value, 28, "known", None

    def _people(self) -> Iterable[Row]:
        """In a window of days, the last person is new, and the one before was active in the window before it alone."""
        for project, (repos, _) in self.projects.items():
            total: dict[str, int] = {}
            for repo, person, _, commits, _ in self._committed("author"):
                if repo in repos:
                    total[person] = total.get(person, 0) + commits
            bots = {person for person in total if person.endswith("[bot]") or person == "web-flow"}
            *_, gone, new = sorted(total.keys() - bots)
            for window in (90, 365, 0):
                active = {person: commits for person, commits in total.items() if person != gone or not window}
                by_people = sum(commits for person, commits in active.items() if person not in bots)
                ranked = sorted((commits for person, commits in active.items() if person not in bots), reverse=True)
                for person, commits in active.items():
                    first = moment(self.as_of - timedelta(days=9) if person == new else min(repos.values()))
                    last = moment(self.as_of - timedelta(days=400 if person == gone else 0))
                    if person in bots:
                        yield "project", project, window, person, commits, None, None, first, last, True, False, False, 0
                        continue
                    before = sum(other for other in ranked if other > commits)
                    yield (
                        "project", project, window, person, commits, commits / by_people, ranked.index(commits) + 1,
                        first, last, False, 2 * before < by_people, person == new or not window, 1,
                    )  # fmt: skip

    def _project_state(self) -> Iterable[Row]:
        for project in self.projects:
            if project == "Delta Lake":
                yield project, "quiet", "archived, one_person", "Quiet: no commit by a person in 90 days."
            else:
                yield project, "active", "", f"Active: {len(project)} people made 40 commits in 28 days."

    def _project_releases(self) -> Iterable[Row]:
        found: dict[tuple[str, str], tuple[datetime, set[str]]] = {}
        for project, source, _, _, version, at, is_prerelease, is_yanked, _ in self._releases():
            if not is_prerelease and not is_yanked:
                first, sources = found.get((project, version), (at, set()))
                found[project, version] = min(first, at), sources | {source}
        for (project, version), (at, sources) in found.items():
            yield project, version, at, "pypi" in sources, "github" in sources

    def _news(self) -> Iterable[Row]:
        return [row for row in self.news() if self.as_of - timedelta(days=28) < row[3] <= self.as_of]

    def news(self) -> Iterator[Row]:
        """What happened, whenever that was."""
        of = {name: project for project, members in self.projects.items() for names in members for name in names}
        for project, version, at, *_ in self._project_releases():
            yield project, project, "release", at.date(), version, None, None
        for package, category, day, count, expected, _, _, is_anomaly in self._download_anomalies():
            if is_anomaly and category == "without_mirrors":
                yield of[package], package, "unusual_downloads", day, package, float(count), expected
        before: dict[str, float] = {}
        for repo, week, _, _, index, *_ in self._issue_backlog():
            if repo in before and (index < 1) != (before[repo] < 1):
                kind = "backlog_grows" if index < 1 else "backlog_shrinks"
                yield of[repo], repo, kind, week + timedelta(days=6), repo, index, before[repo]
            before[repo] = index
        # Of several repositories, the first commit counts.
        firsts: dict[tuple[str, str], date] = {}
        for repo, person, day in self._first_commits():
            firsts[of[repo], person] = min(day, firsts.get((of[repo], person), day))
        for (project, person), day in firsts.items():
            yield project, project, "newcomer", day, person, None, None


def open_catalog(settings: Settings) -> Catalog:
    """The writable catalog of a sample."""
    return load_catalog(CATALOG, **pyiceberg_properties(settings))


def arrow(columns: dict[str, pa.DataType], rows: Iterable[Row]) -> pa.Table:
    """Rows as an Arrow table with these columns."""
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], pa.schema(list(columns.items())))


def publish(settings: Settings, sample: Sample, run_id: str, published_at: datetime, *, is_demo: bool = True) -> None:
    """Write a publication the way `lakepulse_dbt publish` does."""
    catalog = open_catalog(settings)
    catalog.create_namespace_if_not_exists(GOLD)
    snapshots, row_counts = {}, {}
    for name, rows in sample.tables().items():
        data = arrow(SCHEMAS[name], rows)
        table = catalog.create_table_if_not_exists(f"{GOLD}.{name}", data.schema)
        properties = {"lakepulse.run-id": run_id, "lakepulse.as-of": str(sample.as_of)}
        if table.current_snapshot() is None:
            table.append(data, snapshot_properties=properties)
        elif not table.scan().to_arrow().cast(data.schema).equals(data):
            table.overwrite(data, snapshot_properties=properties)
        snapshot = table.current_snapshot()
        assert snapshot is not None
        snapshots[name], row_counts[name] = snapshot.snapshot_id, data.num_rows
    row = (run_id, sample.as_of, published_at, is_demo, "0.1.0", list(snapshots.items()), list(row_counts.items()))
    append(catalog, PUBLICATIONS, arrow(_PUBLICATIONS, [row]))


ALERTS = [
    {
        "project": "Apache Hudi",
        "figure": "absence_factor_365d",
        "value": 1,
        "change_percent": None,
        "message": f"Hudi: {HOSTILE}.",
    }
]
"""In the form that `publish` reports."""


def append(catalog: Catalog, name: str, data: pa.Table) -> None:
    """Append rows, creating the table if it does not exist."""
    catalog.create_namespace_if_not_exists(name.partition(".")[0])
    catalog.create_table_if_not_exists(name, data.schema).append(data)


def record_run(
    settings: Settings,
    run_id: str,
    as_of: date,
    ended_at: datetime,
    *,
    failed: str | None = None,
    is_demo: bool = True,
    alerts: Sequence[Mapping[str, object]] = ALERTS,
) -> None:
    """Write a run the way `lakepulse_dbt record` does; `failed` names the failed step."""
    started = ended_at - timedelta(minutes=4)
    names = ("fetch", "load", "build", "publish")
    ran = names[: names.index(failed) + 1] if failed else names
    steps = [
        StepReport(
            run_id=run_id,
            step=step,
            outcome="failed" if step == failed else "succeeded",
            started_at=started + timedelta(minutes=i),
            ended_at=started + timedelta(minutes=i + 1),
            rows=1000 * (i + 1),
            requests=40 if step == "fetch" else None,
            details={"alerts": list(alerts)} if step == "publish" else {},
        ).model_dump(mode="json")
        for i, step in enumerate(ran)
    ]
    message = f"cannot reach the API: {HOSTILE}" if failed else None
    outcome = "failed" if failed else "succeeded"
    row = (run_id, "daily", is_demo, as_of, started, ended_at, outcome, failed, message, json.dumps(steps))
    append(open_catalog(settings), RUNS, arrow(_RUNS, [row]))


def publish_large(settings: Settings, projects: int = 100) -> None:
    """A publication of this many projects over five years: with 100, about ten million commits and issues."""
    as_of = datetime.now(UTC).date()
    first = as_of - timedelta(days=1826)
    many: Projects = {
        f"Project {i:03}": ({f"owner{i:03}/repo{i:03}": first}, {f"package{i:03}": first}) for i in range(projects)
    }
    at = datetime.combine(as_of, time(7), UTC)
    publish(settings, Sample(as_of, revised=True, projects=many, volume=14), "large-1", at)
    record_run(settings, "large-1", as_of, at)


def build_large(folder: Path, projects: int = 100) -> Settings:
    """A data folder with such a publication."""
    settings = Settings(data_dir=folder, demo=True)
    open_data_dir(settings)
    publish_large(settings, projects)
    return settings


def build(folder: Path, as_of: date | None = None, kind: type[Sample] = Sample) -> Settings:
    """A data folder with a week-old publication, one as of `as_of` (default: today), and a failed run after it."""
    as_of = as_of or datetime.now(UTC).date()
    settings = Settings(data_dir=folder, demo=True)
    open_data_dir(settings)
    older = as_of - timedelta(days=7)
    for day, run_id in ((older, "sample-1"), (as_of, "sample-2")):
        at = datetime.combine(day, time(7), UTC)
        publish(settings, kind(day, revised=day == as_of), run_id, at)
        record_run(settings, run_id, day, at)
    record_run(settings, "sample-3", as_of, datetime.combine(as_of, time(8), UTC), failed="fetch")
    return settings


if __name__ == "__main__":
    build(Path(sys.argv[1]))
