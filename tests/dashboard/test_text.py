from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dashboard import text
from tests.dashboard.sample import HOSTILE

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_hostile_text_is_escaped_and_loses_its_direction_marks() -> None:
    shown = text.literal(HOSTILE + "\nnext")
    assert "\u202e" not in shown
    assert "\n" not in shown
    bare = shown.replace("\\", "")
    assert bare == "\u2068" * (not bare.isascii()) + bare.strip("\u2068\u2069") + "\u2069" * (not bare.isascii())
    for sign in "<*[]($:`":
        assert f"\\{sign}" in shown
        assert shown.count(sign) == shown.count(f"\\{sign}")


def test_other_scripts_are_isolated_from_the_sentence_around_them() -> None:
    assert text.literal("שלום") == "\u2068שלום\u2069"
    assert text.literal("plain words") == "plain words"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/apache/iceberg/issues/1", True),
        ("javascript:alert(1)", False),
        ("http://github.com/x", False),
        ("https://user@evil.example/", False),
        ("https://github.com/a b", False),
        (None, False),
    ],
)
def test_only_plain_https_addresses_become_links(url: str | None, link: bool) -> None:
    assert text.web_link(url) == (url if link else None)


def test_numbers_are_formatted_for_people() -> None:
    nan = float("nan")
    assert [text.short(value) for value in (None, nan, 950, 9999, 12_345, 4_560_000, 123_456_789)] == [
        "–", "–", "950", "9,999", "12.3k", "4.6M", "123M",
    ]  # fmt: skip
    assert [text.duration(hours) for hours in (None, 0.5, 26.46, 72)] == ["–", "30 min", "26.5 h", "3.0 days"]
    assert [text.percent(value) for value in (None, nan, 100.0, -50.0)] == [None, None, "+100.0%", "-50.0%"]
    assert [text.number(value) for value in (None, 1234.0)] == ["–", "1,234"]
    assert [text.version(tag) for tag in ("v1.2.0", "apache-iceberg-1.10.0", "nightly")] == ["1.2.0", "1.10.0", "nightly"]


def test_counts_and_lists_read_as_english() -> None:
    assert [text.count(n, "repository", "repositories") for n in (1, 2)] == ["1 repository", "2 repositories"]
    assert [text.listed(list("abc")[:n], 2) for n in range(4)] == ["", "a", "a and b", "a, b and 1 more"]


def test_ages_are_in_utc() -> None:
    assert text.age(datetime(2026, 11, 20, 11, 30), NOW) == "30 minutes ago"  # noqa: DTZ001 - gold has naive UTC
    assert text.age(datetime(2026, 11, 20, 9, tzinfo=UTC), NOW) == "3 hours ago"
    assert text.age(date(2026, 11, 15), NOW) == "5 days ago"
    assert text.age(date(2026, 9, 1), NOW) == "80 days ago"
    assert text.age(datetime(2026, 11, 21, tzinfo=UTC), NOW) == "now"
