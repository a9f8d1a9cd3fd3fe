from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dashboard.filters import CUSTOM, Selection, grain_of, resolve

MEMBERS = [
    ("Hudi", "repo", "apache/hudi"),
    ("Iceberg", "package", "pyiceberg"),
    ("Iceberg", "repo", "apache/iceberg"),
    ("Iceberg", "repo", "apache/iceberg-python"),
]
EARLIEST, AS_OF = date(2020, 1, 15), date(2026, 11, 18)


def choose(projects: list[str] | None = None, repos: list[str] | None = None, **more: Any) -> Selection:
    asked: dict[str, Any] = {"period": "1 year", "custom": (None, None), "earliest": EARLIEST, "as_of": AS_OF} | more
    return resolve(MEMBERS, projects or [], repos or [], **asked)


def test_an_empty_choice_means_all() -> None:
    chosen = choose()
    assert chosen.projects == ("Hudi", "Iceberg")
    assert chosen.repos == ("apache/hudi", "apache/iceberg", "apache/iceberg-python")
    assert chosen.packages == ("pyiceberg",)


def test_a_project_selects_its_repos_and_packages_and_repos_narrow_it() -> None:
    assert choose(["Iceberg"]).repos == ("apache/iceberg", "apache/iceberg-python")
    narrowed = choose(["Iceberg"], ["apache/iceberg"])
    assert (narrowed.repos, narrowed.packages) == (("apache/iceberg",), ("pyiceberg",))


def test_a_repo_of_another_project_selects_nothing() -> None:
    assert choose(["Hudi"], ["apache/iceberg"]).repos == ()


def test_weeks_start_on_monday_and_months_on_the_first() -> None:
    year = choose()
    assert (year.first, year.last, year.grain) == (date(2025, 11, 17), AS_OF, "week")
    assert year.first.weekday() == 0
    years = choose(period="3 years")
    assert (years.first, years.grain) == (date(2023, 11, 1), "month")


def test_days_are_exact_and_include_both_ends() -> None:
    days = choose(period="90 days")
    assert (days.first, days.grain) == (date(2026, 8, 21), "day")
    assert (days.last - days.first).days + 1 == 90


def test_all_time_starts_with_the_data() -> None:
    assert choose(period="all time").first == date(2020, 1, 1)
    assert choose(period="all time", earliest=date(2026, 11, 1)).first == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("custom", "expected"),
    [
        ((date(2026, 1, 7), date(2026, 2, 3)), (date(2026, 1, 7), date(2026, 2, 3))),
        ((None, None), (date(2020, 1, 1), AS_OF)),
        ((date(1999, 1, 1), date(2030, 1, 1)), (date(2020, 1, 1), AS_OF)),
        # Complete weeks or months, where charts show those.
        ((date(2026, 1, 9), date(2026, 11, 10)), (date(2026, 1, 5), date(2026, 11, 15))),
        ((date(2020, 2, 5), date(2026, 1, 20)), (date(2020, 2, 1), date(2026, 1, 31))),
    ],
)
def test_custom_dates_stay_within_the_data_and_cover_complete_weeks_or_months(
    custom: tuple[date | None, date | None], expected: tuple[date, date]
) -> None:
    chosen = choose(period=CUSTOM, custom=custom)
    assert (chosen.first, chosen.last) == expected


def test_an_unknown_period_in_an_old_link_shows_the_default() -> None:
    assert choose(period="fortnight") == choose()


def test_the_grain_grows_with_the_period() -> None:
    assert [grain_of(date(2026, 1, 1), last) for last in (date(2026, 5, 1), date(2026, 5, 2), date(2028, 3, 12))] == [
        "day",
        "week",
        "month",
    ]
