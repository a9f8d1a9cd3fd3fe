"""Downloads of a package, by day and kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tests.truth.basics import change, percentile
from tests.truth.known import Break, KnownPackage
from tests.truth.releases import Publication, normal_form

Add = Callable[..., None]


def counts(package: KnownPackage, as_of: date) -> dict[str, dict[date, int]]:
    """Downloads by category and day: a day that only mirrors downloaded on is 0 without them."""
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for (category, day), count in package.downloads["overall"].items():
        if day <= as_of:
            found[category][day] = count
    for day in found.get("with_mirrors", {}):
        found["without_mirrors"].setdefault(day, 0)
    return dict(found)


def week_sum(days: Mapping[date, int], last: date) -> int | None:
    """The sum of the 7 days that end with `last`, if all are there."""
    week = [last - timedelta(days=back) for back in range(7)]
    return sum(days[day] for day in week) if all(day in days for day in week) else None


@dataclass
class Downloads:
    """The tables of one package."""

    name: str
    package: KnownPackage
    publications: Sequence[Publication]
    breaks: Sequence[Break]
    as_of: date
    add: Add

    def __post_init__(self) -> None:
        self.counts = counts(self.package, self.as_of)

    def tables(self) -> None:
        self.changes()
        self.anomalies()
        self.uplift()
        self.shares("python_minor", "fct_downloads_by_python")
        self.shares("system", "fct_downloads_by_system")
        self.shares("version", "fct_downloads_by_version")

    def changes(self) -> None:
        for category, days in self.counts.items():
            for day, count in days.items():
                week = week_sum(days, day)
                self.add(
                    "fct_percent_change_downloads_overall",
                    package=self.name,
                    category=category,
                    date=day,
                    downloads=count,
                    percent_change_1d=change(count, days.get(day - timedelta(days=1))),
                    downloads_7d=week,
                    percent_change_7d=change(week, week_sum(days, day - timedelta(days=7))),
                )

    def anomalies(self) -> None:
        for category, days in self.counts.items():
            for day, count in days.items():
                before = [days[d] for weeks in range(1, 9) if (d := day - timedelta(weeks=weeks)) in days]
                expected = percentile(before, 50)
                spread = None if expected is None else percentile([abs(value - expected) for value in before], 50)
                score = None
                if expected is not None and spread and len(before) >= 5:
                    score = (count - expected) / (1.4826 * spread)
                is_far = expected is not None and 4 * abs(count - expected) >= expected
                is_break = any(known.touches(self.name, day - timedelta(days=56), day) for known in self.breaks)
                self.add(
                    "fct_download_anomalies",
                    package=self.name,
                    category=category,
                    date=day,
                    downloads=count,
                    expected=expected,
                    spread=spread,
                    robust_z=score,
                    is_anomaly=score is not None and abs(score) > 3.5 and is_far and not is_break,
                )

    def uplift(self) -> None:
        days = self.counts.get("without_mirrors", {})
        for release in self.publications:
            if release.is_prerelease:
                continue
            released = release.at.date()
            before = week_sum(days, released - timedelta(days=1))
            after = week_sum(days, released + timedelta(days=7))
            self.add(
                "fct_release_uplift",
                package=self.name,
                version=release.version,
                released_at=release.at,
                downloads_7d_before=before,
                downloads_7d_after=after,
                uplift_percent=change(after, before),
            )

    def shares(self, kind: str, table: str) -> None:
        """Decision: versions are named in normal form here too, so that they meet those of fct_releases."""
        days: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for (category, day), count in self.package.downloads[kind].items():
            if day <= self.as_of:
                name = normal_form(category) if kind == "version" else category
                days[day]["unknown" if name == "null" else name] += count
        for day, found in days.items():
            total = sum(found.values())
            for name, count in found.items():
                share = count / total if total else None
                self.add(table, package=self.name, date=day, **{kind: name}, downloads=count, share=share)
