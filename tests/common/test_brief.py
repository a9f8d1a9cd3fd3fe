"""The sentences about projects: what they say of known, partial, unknown and missing figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakepulse.brief import QUESTIONS, Answer, Brief, briefs, plain
from lakepulse.figures import MONTH, YEAR, Figure, Meaning, Row, newest, trend, week_before, week_of
from lakepulse.news import LABELS, items
from lakepulse_dbt.declared_figures import declared_figures

AS_OF = date(2026, 12, 1)
PROJECT = "Lake"
MEANINGS = {
    name: Meaning(
        name, entry.title, entry.question, entry.unit, entry.better, entry.definition, entry.link, tuple(entry.scope_kinds),
        tuple(entry.sources), entry.window_days, entry.headline,
    )
    for declared in declared_figures().values()
    for name, entry in declared.items()
}  # fmt: skip
SHARES = {name for name, meaning in MEANINGS.items() if meaning.unit == "share"}


def figure(name: str, value: float | None, month: float | None = None, year: float | None = None, **more: Any) -> Figure:
    rest: dict[str, Any] = {"n": 28, "status": "known", "reason": None} | more
    return Figure(MEANINGS[name], "project", PROJECT, value, month_before=month, year_before=year, **rest)


USUAL = {
    one.meaning.figure: one
    for one in (
        figure("commits_365d", 838, 825, 660),
        figure("commits_28d", 62, 68, 50),
        figure("days_since_release", 1, 46, 21),
        figure("absence_factor_365d", 16, 17, 14, n=838),
        figure("answered_7d_share_12w", 0.786, 0.81, 0.889, n=98),
        figure("first_response_median_hours_12w", 9.94, 10.1, 12.9),
        figure("downloads_per_day_28d", 166116.25, 159462.9),
        figure("downloads_change_year", 35.4),
        figure("stars", 11104, 10990, 9000),
    )
}
STATE = {"project": PROJECT, "state": "active", "flags": "", "sentence": "Active: 37 people made 62 commits in 28 days."}
MEMBERS = [{"project": PROJECT, "kind": "repo", "name": "a/lake"}, {"project": PROJECT, "kind": "package", "name": "lake"}]


def person(name: str, commits: int, *, carries: bool = True, window: int = 365) -> Row:
    return {
        "scope_kind": "project", "scope": PROJECT, "window_days": window, "person": name, "commits": commits,
        "first_commit_at": datetime(2020, 1, 1, tzinfo=UTC), "carries": carries,
    }  # fmt: skip


def made(found: dict[str, Figure], **rows: Sequence[Row]) -> Brief:
    """The brief of these figures, and of further rows instead of the usual ones."""
    given: dict[str, Any] = {"states": [STATE], "people": [], "freshness": [], "members": MEMBERS, "breaks": []}
    [brief] = briefs(found.values(), as_of=AS_OF, **(given | rows))
    return brief


def said(brief: Brief, question: str) -> tuple[str, str]:
    """The verdict on a question, and its sentence as text."""
    answer = of(brief, question)
    return answer.verdict, plain(answer.sentence)


def of(brief: Brief, question: str) -> Answer:
    return next(answer for answer in brief.answers if answer.question == question)


def test_a_project_in_words() -> None:
    people = [
        person("ada", 60),
        person("bob", 40),
        person("cyd", 39),
        person("dan", 1, carries=False),
        person("x", 9, window=90),
    ]
    brief = made(USUAL, people=people)
    assert (brief.state, brief.notes, brief.concerns) == (STATE["sentence"], (), 0)
    assert said(brief, "alive") == (
        "Active",
        "838 commits in a year, up 27 % on last year; 62 in 28 days, down 9 % on last month; last release 1 day ago.",
    )
    assert said(brief, "carried") == (
        "Many",
        "16 people made half of the commits in a year (ada, bob and 1 more), down from 17 last month, up from 14 last year.",
    )
    points = ("down 2 points on last month", "down 10 points on last year")
    assert said(brief, "answered") == (
        "Mostly",
        f"79 % of 98 new issues answered within 7 days, {', '.join(points)}; median 9.9 hours.",
    )
    downloads = "166,116 downloads a day, up 4 % on last month, up 35 % on last year"
    stars = "11,104 stars, up 1 % on last month, up 23 % on last year"
    assert said(brief, "adopted") == ("Growing", f"{downloads}; {stars}.")
    assert said(brief, "trusted") == ("Yes", "9 of 9 figures complete.")


def test_numbers_lead_to_their_figures_and_names_to_people() -> None:
    brief = made(USUAL, people=[person("ada", 60)])
    about = {part.about: part.text for answer in brief.answers for part in answer.sentence if part.about}
    assert about == {
        "commits_365d": "838 commits", "commits_28d": "62", "days_since_release": "Last release 1 day ago".replace("L", "l"),
        "absence_factor_365d": "16 people", "people": "ada", "answered_7d_share_12w": "79 %",
        "first_response_median_hours_12w": "median 9.9 hours", "downloads_per_day_28d": "166,116 downloads",
        "downloads_change_year": "up 35 % on last year", "stars": "11,104 stars", "data": "9 of 9 figures",
    }  # fmt: skip


def test_a_partial_figure_is_marked_and_its_reason_is_said() -> None:
    reason = "without a/dam: not found"
    found = USUAL | {"stars": replace(USUAL["stars"], status="partial", reason=reason)}
    brief = made(found)
    [part] = [part for part in of(brief, "adopted").sentence if part.about == "stars"]
    assert part.missing == reason
    assert "11,104 stars (incomplete)" in said(brief, "adopted")[1]
    assert said(brief, "trusted") == ("Partly", f"8 of 9 figures complete; incomplete: {reason} (1 figure).")


def test_why_there_is_no_value_is_said_once() -> None:
    lost: dict[str, Any] = {
        "value": None,
        "month_before": None,
        "year_before": None,
        "status": "unknown",
        "reason": "without a/dam: not found",
    }
    found = {name: replace(each, **lost) for name, each in USUAL.items()}
    brief = made(found, states=[STATE | {"state": None, "sentence": "No commits are known."}])
    assert said(brief, "alive") == ("Unknown", "Commits unknown (without a/dam: not found).")
    assert said(brief, "answered") == ("Unknown", "Answers within 7 days unknown (without a/dam: not found).")
    assert said(brief, "adopted") == ("Unknown", "Downloads per day unknown (without a/dam: not found).")
    assert said(brief, "trusted") == ("Barely", "0 of 9 figures complete, 9 unknown.")


def test_what_does_not_exist_is_not_unknown() -> None:
    none: dict[str, Any] = {"value": None, "status": "none", "reason": "no package"}
    found = USUAL | {name: replace(USUAL[name], **none) for name in ("downloads_per_day_28d", "downloads_change_year")}
    found["answered_7d_share_12w"] = replace(USUAL["answered_7d_share_12w"], **none | {"reason": "issues are switched off"})
    found["first_response_median_hours_12w"] = figure(
        "first_response_median_hours_12w", None, reason="no answer to 5 of 6 issues"
    )
    brief = made(found)
    assert said(brief, "adopted") == ("Growing", "No package; 11,104 stars, up 1 % on last month, up 23 % on last year.")
    assert said(brief, "answered") == (
        "Issues are switched off",
        "Issues are switched off; no median (no answer to 5 of 6 issues).",
    )
    assert said(brief, "trusted") == ("Yes", "6 of 6 figures complete.")


def test_a_project_of_packages_alone_has_no_repository() -> None:
    none: dict[str, Any] = {"value": None, "status": "none", "reason": "nothing of the kind"}
    of_repos = ("commits_365d", "commits_28d", "absence_factor_365d", "answered_7d_share_12w", "stars")
    brief = made(USUAL | {name: replace(USUAL[name], **none) for name in of_repos}, states=[])
    assert said(brief, "alive") == ("Unknown", "No repository; last release 1 day ago.")
    assert said(brief, "carried") == ("No repository", "No repository.")
    assert said(brief, "adopted")[1] == "166,116 downloads a day, up 4 % on last month, up 35 % on last year; no repository."


@pytest.mark.parametrize(
    ("factor", "commits", "verdict", "tone"),
    [(1, 10, "One person", "bad"), (1, 9, "One person", "none"), (2, 99, "A few", "none"), (5, 99, "Many", "none")],
)
def test_one_person_is_a_concern_where_commits_are_enough(factor: int, commits: int, verdict: str, tone: str) -> None:
    answer = of(made(USUAL | {"absence_factor_365d": figure("absence_factor_365d", factor, n=commits)}), "carried")
    assert (answer.verdict, answer.tone) == (verdict, tone)
    assert plain(answer.sentence).startswith("1 person made" if factor == 1 else f"{factor} people made")


@pytest.mark.parametrize(
    ("share", "verdict", "tone"),
    [
        (1.0, "Mostly", "none"),
        (0.75, "Mostly", "none"),
        (0.5, "Often", "none"),
        (0.25, "Sometimes", "none"),
        (0.24, "Rarely", "bad"),
    ],
)
def test_few_answers_are_a_concern(share: float, verdict: str, tone: str) -> None:
    answer = of(made(USUAL | {"answered_7d_share_12w": figure("answered_7d_share_12w", share)}), "answered")
    assert (answer.verdict, answer.tone) == (verdict, tone)


@pytest.mark.parametrize(("percent", "verdict"), [(10.0, "Growing"), (9.9, "Steady"), (-9.9, "Steady"), (-10.0, "Shrinking")])
def test_adoption_is_judged_by_downloads_in_a_year(percent: float, verdict: str) -> None:
    brief = made(USUAL | {"downloads_change_year": figure("downloads_change_year", percent)})
    assert of(brief, "adopted").verdict == verdict
    assert brief.concerns == (verdict == "Shrinking")


def test_a_change_across_a_known_break_is_said_and_not_judged() -> None:
    known = {
        "id": "b", "source": "pypistats", "scope": "", "from_date": AS_OF - timedelta(days=20), "to_date": None,
        "what_changed": "Counts differently.", "link": None,
    }  # fmt: skip
    change = figure("downloads_change_year", -80.0, status="partial", reason="known break on 2026-11-11: Counts differently.")
    found = USUAL | {"downloads_per_day_28d": figure("downloads_per_day_28d", 20, 100), "downloads_change_year": change}
    assert of(made(found), "adopted").verdict == "Shrinking"
    brief = made(found, breaks=[known])
    # Stars still say something.
    assert of(brief, "adopted").verdict == "Growing"
    assert all(part.tone == "none" for part in of(brief, "adopted").sentence if "down" in part.text)
    assert "down 80 % on last month across a change in counting on 2026-11-11" in said(brief, "adopted")[1]
    assert said(brief, "trusted")[0] == "Partly"
    assert "counted differently since 2026-11-11" in said(brief, "trusted")[1]
    # A break of another package is none.
    assert made(found, breaks=[known | {"scope": "pond"}]) == made(found)


def test_what_is_out_of_date_is_named_unless_it_is_known_to_be_gone() -> None:
    rows = [
        {"source": "pypistats_overall", "scope": "lake", "is_stale": True, "status": "ok"},
        {"source": "github_issues", "scope": "a/lake", "is_stale": True, "status": "closed"},
        {"source": "github_issues", "scope": "b/other", "is_stale": True, "status": "ok"},
    ]
    assert said(made(USUAL, freshness=rows), "trusted") == ("Partly", "9 of 9 figures complete; out of date: lake.")
    assert said(made(USUAL, freshness=rows[1:]), "trusted")[0] == "Yes"
    # Older publications do not say how the last visit ended.
    assert said(made(USUAL, freshness=[{"source": "x", "scope": "lake", "is_stale": True}]), "trusted")[0] == "Partly"


def test_flags_are_said_in_words_unless_an_answer_says_them() -> None:
    state = STATE | {"state": "archived", "flags": "archived, one_person, quarantined, invented"}
    brief = made(USUAL, states=[state])
    assert brief.notes == ("a package in quarantine", "invented")
    assert (of(brief, "alive").verdict, of(brief, "alive").tone) == ("Archived", "bad")


def test_trends_compare_with_whole_weeks() -> None:
    weeks = {week_of(AS_OF): 62.0, week_before(AS_OF, MONTH): 31.0, week_before(AS_OF, YEAR): 124.0}
    rows = [
        {"scope_kind": "project", "scope": PROJECT, "figure": "commits_28d", "week": week, "value": value, "n": 1,
         "status": "known", "reason": None}
        for week, value in weeks.items()
    ]  # fmt: skip
    [found] = newest(MEANINGS, rows, AS_OF)
    assert (found.in_a_month, found.in_a_year) == (
        trend(MEANINGS["commits_28d"], 62, 31, 1),
        trend(MEANINGS["commits_28d"], 62, 124, 1),
    )
    assert found.in_a_month is not None
    assert found.in_a_month.said("month") == "up 100 % on last month"


@pytest.mark.parametrize(
    ("name", "values", "n", "words", "tone"),
    [
        ("commits_28d", (62, 50), 62, "up 24 % on last year", "good"),
        ("commits_28d", (54, 50), 54, "up 8 % on last year", "none"),
        ("commits_28d", (12, 10), 12, "up from 10 last year", "none"),
        ("commits_28d", (12, 9), 12, "up from 9 last year", "good"),
        ("commits_28d", (0, 9), 0, "down from 9 last year", "bad"),
        ("commits_28d", (3, 0), 3, "up from 0 last year", "good"),
        ("commits_28d", (0, 0), 0, "same as last year", "none"),
        ("stars", (1001, 1000), 1, "same as last year", "none"),
        ("open_issues", (200, 100), 200, "up 100 % on last year", "none"),
        ("answered_7d_share_12w", (0.5, 0.4), 30, "up 10 points on last year", "good"),
        ("answered_7d_share_12w", (0.5, 0.4), 29, "up 10 points on last year", "none"),
        ("answered_7d_share_12w", (0.5, 0.49), 900, "up 1 point on last year", "none"),
        ("merge_median_days_12w", (1.0, 2.0), 9, "down 50 % on last year", "good"),
        ("top_share_365d", (0.5, 0.1), 99, "up 40 points on last year", "bad"),
    ],
)
def test_a_change_is_good_or_bad_from_a_threshold_on(
    name: str, values: tuple[float, float], n: int, words: str, tone: str
) -> None:
    found = trend(MEANINGS[name], *values, n)
    assert found is not None
    assert (found.said("year"), found.tone) == (words, tone)


def test_days_since_a_release_have_no_trend() -> None:
    assert trend(MEANINGS["days_since_release"], 68, 38, 1) is None


COUNTS = st.integers(0, 10**7).map(float)


@given(
    name=st.sampled_from(sorted(MEANINGS)),
    now=COUNTS,
    before=COUNTS,
    n=st.integers(0, 10**6),
)
def test_a_trend_says_its_direction_and_its_tone_follows(name: str, now: float, before: float, n: int) -> None:
    meaning = MEANINGS[name]
    if name in SHARES:
        now, before = now / 10**7, before / 10**7
    found = trend(meaning, now, before, n)
    if found is None:
        assert name == "days_since_release"
        return
    word = {"up": "up ", "down": "down ", "level": "same "}[found.direction]
    assert found.said("month").startswith(word)
    assert found.direction == "level" or (found.direction == "up") == (now > before)
    if found.tone != "none":
        assert found.direction != "level"
        assert meaning.better != "neither"
        assert (found.tone == "good") == (found.direction == meaning.better)


STATUSES = st.sampled_from(["known", "partial", "unknown", "none"])


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Figure]:
    found = {}
    for name in draw(st.sets(st.sampled_from(sorted(MEANINGS)))):
        status = draw(STATUSES)
        values = [draw(st.none() | COUNTS) for _ in range(3)]
        if name in SHARES:
            values = [None if value is None else value / 10**7 for value in values]
        reason = None if status == "known" else draw(st.sampled_from(["no package", "27 of 28 days", "without a/b: not found"]))
        value = None if status in {"unknown", "none"} else values[0]
        found[name] = figure(name, value, *values[1:], status=status, reason=reason, n=draw(st.integers(0, 999)))
    return found


@given(found=figures(), names=st.lists(st.text(min_size=1, max_size=9), max_size=5))
def test_whatever_is_known_there_are_five_answers_in_sentences(found: dict[str, Figure], names: list[str]) -> None:
    people = [person(name, 10) for name in names]
    if not found:
        return
    brief = made(found, people=people)
    assert [answer.question for answer in brief.answers] == list(QUESTIONS)
    for answer in brief.answers:
        text = plain(answer.sentence)
        assert answer.verdict
        assert text.endswith(".")
        assert not text.endswith("..")
        assert "None" not in text
        assert "nan" not in text
        for part in answer.sentence:
            assert part.about in {None, "people", "data"} or part.about in found
            if part.about in found:
                each = found[part.about]
                assert each.value is not None
                assert (part.missing is not None) == (each.status == "partial")
    judged = [each for each in found.values() if each.status != "none"]
    complete = sum(each.status == "known" for each in judged)
    assert said(brief, "trusted")[1].startswith(f"{complete} of {len(judged)} figure")
    assert (of(brief, "trusted").verdict == "Yes") <= (complete * 2 >= len(judged))


def happened(kind: str, day: date, **more: Any) -> Row:
    row = {"project": PROJECT, "scope": PROJECT, "kind": kind, "happened_on": day, "subject": "x", "value": None, "usual": None}
    return row | more


def test_news_are_items_the_most_important_kind_first() -> None:
    rows = [
        *(happened("newcomer", AS_OF, subject=name) for name in ("cyd", "ada", "bob")),
        happened("newcomer", AS_OF, project="Pond", scope="Pond", subject="eve"),
        happened("backlog_grows", AS_OF, scope="a/lake", subject="a/lake", value=0.75, usual=1.05),
        happened("backlog_shrinks", AS_OF, scope="a/dam", subject="a/dam", value=1.5, usual=0.9),
        happened("unusual_downloads", AS_OF, scope="lake", subject="lake", value=216585.0, usual=809589.4),
        happened("release", AS_OF - timedelta(days=2), subject="1.0"),
        happened("release", AS_OF - timedelta(days=1), subject="1.1"),
        happened("release", AS_OF - timedelta(days=7), subject="0.9"),
    ]
    found = items(rows, AS_OF - timedelta(days=6))
    assert [item.name + item.text for item in found] == [
        "Lake 1.1, 2026-11-30",
        "Lake 1.0, 2026-11-29",
        "lake: 216,585 on 2026-12-01, usually about 809,589",
        "a/dam: began to shrink, 1.50 closed per opened in 8 weeks, 0.90 a week earlier",
        "a/lake: began to grow, 0.75 closed per opened in 8 weeks, 1.05 a week earlier",
        "Lake: 3 people, ada, bob and 1 more",
        "Pond: 1 person, eve",
    ]
    assert {item.kind for item in found} == set(LABELS)
