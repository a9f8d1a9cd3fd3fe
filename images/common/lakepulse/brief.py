"""A project in words: its state in one line, and an answer to each of five questions.

The Overview, the project page and the digest show these sentences, so what a mail says is what the page says. They are made
of figures (`lakepulse.figures`) and rows of gold, which are mappings by column name; nothing is computed here but counts of
what is incomplete. A sentence is a sequence of parts, since a page makes links of its numbers and colours its trends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from lakepulse.figures import MONTH, NOTABLE_PERCENT, YEAR, Break, Figure, Row, Tone, counted, number, spanned, worded

QUESTIONS = {
    "alive": "Is it alive?",
    "carried": "Who carries it?",
    "answered": "Do issues get answers?",
    "adopted": "Is adoption growing?",
    "trusted": "Can I trust the numbers?",
}
"""The questions that a brief answers, in its order. All but the last are those of `dim_figures`."""

FLAGS = {
    "archived": "a repository is archived",
    "deprecated": "a package is deprecated",
    "disabled": "a repository is disabled",
    "issues_off": "issues are switched off in a repository",
    "not_found": "a repository or package was not found",
    "one_person": "one person makes half of the commits",
    "package_archived": "a package is archived",
    "quarantined": "PyPI has a package in quarantine",
}
"""Flag of `fct_project_state` -> what it means."""

FEW_ANSWERS = 0.25
"""A smaller share of issues answered within seven days is a concern."""

ANSWERS = ((0.75, "Mostly"), (0.5, "Often"), (FEW_ANSWERS, "Sometimes"), (0.0, "Rarely"))
"""From which share of issues answered within seven days on -> what it is called."""

MANY_PEOPLE = 5
"""Fewer people behind half of the commits are a few."""

FEW_COMMITS = 10
"""Of fewer commits, that one person made half of them is no concern."""

WINDOW = 365
"""Days of the window in which `fct_people` names who carries a project, as the figure counts them."""

_MOST_NAMES = 3
_MOST_REASONS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence: plain text.

    `about` says where more is: the name of a figure, `people` or `data`; None for words between. `missing` is why the figure
    is partial, None where it is not.
    """

    text: str
    about: str | None = None
    tone: Tone = "none"
    missing: str | None = None


Sentence = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question: in a word or two, and in a sentence. The tone is `bad` for a concern."""

    question: str
    verdict: str
    tone: Tone
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Brief:
    """A project in words. `state` is its sentence of `fct_project_state`, `notes` what else to know."""

    project: str
    state: str
    notes: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def concerns(self) -> int:
        """How many answers are a concern."""
        return sum(answer.tone == "bad" for answer in self.answers)


def plain(sentence: Sentence) -> str:
    """A sentence as text; a number that is incomplete says so."""
    return "".join(part.text + (" (incomplete)" if part.missing else "") for part in sentence)


def briefs(
    found: Iterable[Figure],
    *,
    states: Iterable[Row],
    people: Iterable[Row],
    freshness: Iterable[Row],
    members: Iterable[Row],
    breaks: Iterable[Row],
    as_of: date,
) -> list[Brief]:
    """The brief of each project that has a figure, in the order of the figures.

    The rows are those of `fct_project_state`, `fct_people`, `fct_data_freshness`, `dim_projects` and `fct_known_breaks`, at
    least of these projects.
    """
    figures: dict[str, dict[str, Figure]] = {}
    for figure in found:
        if figure.scope_kind == "project":
            figures.setdefault(figure.scope, {})[figure.meaning.figure] = figure
    members, breaks = list(members), list(breaks)
    every = [figure for own in figures.values() for figure in own.values()]
    across = {name: spanned(every, members, breaks, as_of, span) for name, span in (("month", MONTH), ("year", YEAR))}
    known_states = {row["project"]: row for row in states}
    carriers: dict[str, list[str]] = {}
    for row in sorted(people, key=lambda row: (-row["commits"], row["first_commit_at"], row["person"])):
        if row["scope_kind"] == "project" and row["window_days"] == WINDOW and row["carries"]:
            carriers.setdefault(row["scope"], []).append(row["person"])
    project_of = {row["name"]: row["project"] for row in members}
    late: dict[str, list[str]] = {}
    for scope in sorted({row["scope"] for row in freshness if _is_late(row)} & project_of.keys()):
        late.setdefault(project_of[scope], []).append(scope)
    return [
        _brief(
            project,
            own,
            known_states.get(project),
            carriers=carriers.get(project, []),
            late=late.get(project, []),
            across={
                (name, span): touched
                for span, touching in across.items()
                for name in own
                if (touched := touching.get((project, name)))
            },
        )
        for project, own in figures.items()
    ]


def _is_late(row: Row) -> bool:
    """Whether a source is out of date. Of what upstream no longer serves, the figures say that it is missing."""
    return row["is_stale"] and row.get("status") not in {"gone", "closed"}


Across = Mapping[tuple[str, str], tuple[Break, ...]]
"""Figure and span (month or year) -> the known breaks within its change."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """What a sentence says of one figure. Of a figure without a value, `reason` is why."""

    parts: Sentence
    reason: str | None = None


def _brief(
    project: str, own: Mapping[str, Figure], state: Row | None, *, carriers: Sequence[str], late: Sequence[str], across: Across
) -> Brief:
    flags = [] if state is None else [flag for flag in (state["flags"] or "").split(", ") if flag]
    return Brief(
        project,
        "" if state is None else state["sentence"],
        # Whoever carries a project is an answer of its own.
        tuple(FLAGS.get(flag, flag) for flag in flags if flag != "one_person"),
        (
            _alive(own, None if state is None else state["state"], across),
            _carried(own, carriers, across),
            _answered(own, across),
            _adopted(own, across),
            _trusted(own, late, across),
        ),
    )


def _alive(own: Mapping[str, Figure], state: str | None, across: Across) -> Answer:
    sentence = _said(
        _clause(own, "commits_365d", lambda value: (counted(value, "commit"), " in a year"), across, ("year",)),
        _clause(own, "commits_28d", lambda value: (number(value), " in 28 days"), across, ("month",)),
        _clause(own, "days_since_release", lambda value: (f"last release {counted(value, 'day')} ago", ""), across, ()),
    )
    return Answer("alive", (state or "unknown").capitalize(), "none" if state in {"active", None} else "bad", sentence)


def _carried(own: Mapping[str, Figure], carriers: Sequence[str], across: Across) -> Answer:
    def made(value: float) -> tuple[str, str]:
        return counted(value, "person", "people"), " made half of the commits in a year"

    factor = own.get("absence_factor_365d")
    value = None if factor is None else factor.value
    first = _clause(own, "absence_factor_365d", made, across)
    if carriers and value is not None:
        # The names follow what was counted, before its trend.
        first = _Clause((*first.parts[:2], Part(" ("), Part(listed(carriers), "people"), Part(")"), *first.parts[2:]))
    sentence = _said(
        first,
        _clause(own, "new_people_90d", lambda value: (f"{number(value)} new", " in 90 days"), across, ()),
    )
    # Of a handful of commits, somebody always made half.
    is_alone = factor is not None and value == 1 and factor.n >= FEW_COMMITS
    verdict = _nothing(factor) if value is None else "One person" if value == 1 else "A few" if value < MANY_PEOPLE else "Many"
    return Answer("carried", verdict, "bad" if is_alone else "none", sentence)


def _answered(own: Mapping[str, Figure], across: Across) -> Answer:
    def answered(value: float) -> tuple[str, str]:
        return worded(value, "share"), " of new issues answered within 7 days"

    def median(value: float) -> tuple[str, str]:
        return f"median {worded(value, 'hours')}", ""

    sentence = _said(
        _clause(own, "answered_7d_share_12w", answered, across),
        _clause(own, "first_response_median_hours_12w", median, across, ()),
        _clause(own, "open_issues", lambda value: (f"{number(value)} open", ""), across, ("year",)),
    )
    share = own.get("answered_7d_share_12w")
    value = None if share is None else share.value
    verdict = _nothing(share) if value is None else next(word for least, word in ANSWERS if value >= least)
    return Answer("answered", verdict, "bad" if value is not None and value < FEW_ANSWERS else "none", sentence)


def _adopted(own: Mapping[str, Figure], across: Across) -> Answer:
    change = own.get("downloads_change_year")
    downloads = _clause(
        own, "downloads_per_day_28d", lambda value: (counted(round(value), "download"), " a day"), across, ("month",)
    )
    clauses = [downloads]
    if change is not None and change.value is None:
        clauses.append(_clause(own, "downloads_change_year", lambda _: ("", ""), across, ()))
    elif change is not None and change.value is not None:
        words = f"{'up' if change.value >= 0 else 'down'} {number(abs(round(change.value)))} % on last year"
        missing = change.reason or change.status if change.status == "partial" else None
        tone = "none" if missing else _tone(change.value)
        clauses = [_Clause((*downloads.parts, Part(", "), Part(words, "downloads_change_year", tone, missing)))]
    clauses.append(_clause(own, "stars", lambda value: (counted(value, "star"), ""), across))
    percent, span = _growth(own, across)
    if percent is None:
        return Answer("adopted", "Unknown", "none", _said(*clauses))
    tone = _tone(percent)
    verdict = {"good": "Growing", "bad": "Shrinking", "none": "Steady"}[tone]
    return Answer("adopted", f"{verdict} since last {span}", tone, _said(*clauses))


def _growth(own: Mapping[str, Figure], across: Across) -> tuple[float | None, str]:
    """The percent change that adoption is judged by, and its span: downloads before stars, a year before a month.

    Only what is known for certain: a change across a known break is none.
    """
    change = own.get("downloads_change_year")
    if change is not None and change.status == "known" and change.value is not None:
        return change.value, "year"
    for name in ("downloads_per_day_28d", "stars"):
        figure = own.get(name)
        if figure is None:
            continue
        for percent, span in ((figure.change_of_year, "year"), (figure.change, "month")):
            # The year of downloads is the figure above.
            if percent is not None and not across.get((name, span)) and (name == "stars" or span == "month"):
                return percent, span
    return None, ""


def _tone(percent: float) -> Tone:
    return "none" if abs(percent) < NOTABLE_PERCENT else "good" if percent > 0 else "bad"


def _trusted(own: Mapping[str, Figure], late: Sequence[str], across: Across) -> Answer:
    judged = [figure for figure in own.values() if figure.status != "none"]
    complete = sum(figure.status == "known" for figure in judged)
    unknown = sum(figure.status == "unknown" for figure in judged)
    reasons = Counter(figure.reason or figure.status for figure in judged if figure.status == "partial")
    broken = sorted({known.day for (_, span), found in across.items() if span == "month" for known in found})
    parts = [
        Part(f"{complete} of {counted(len(judged), 'figure')}", "data"),
        Part(f" complete{f', {unknown} unknown' if unknown else ''}"),
    ]
    if reasons:
        said = [f"{reason} ({counted(count, 'figure')})" for reason, count in reasons.most_common(_MOST_REASONS)]
        rest = len(reasons) - _MOST_REASONS
        parts.append(Part(f"; incomplete: {', '.join([*said, *([counted(rest, 'more reason')] if rest > 0 else [])])}"))
    if late:
        parts.append(Part(f"; out of date: {listed(late)}"))
    if broken:
        parts.append(Part(f"; counted differently since {listed([str(day) for day in broken])}"))
    sentence = (*parts, Part("."))
    if 2 * complete < len(judged) or not judged:
        return Answer("trusted", "Little", "bad", sentence)
    return Answer("trusted", "In part" if reasons or late or broken else "Yes", "none", sentence)


def _clause(
    own: Mapping[str, Figure],
    name: str,
    words: Callable[[float], tuple[str, str]],
    across: Across,
    spans: Sequence[str] = ("month", "year"),
) -> _Clause:
    """A figure's value in `words`, its number first, and its trends; or why it has none. Empty without such a figure."""
    figure = own.get(name)
    if figure is None:
        return _Clause(())
    if figure.value is None:
        reason = figure.reason or figure.status
        title = figure.meaning.title[:1].lower() + figure.meaning.title[1:]
        said = {"none": reason, "known": f"no {title} ({reason})"}.get(figure.status, f"{title} unknown ({reason})")
        return _Clause((Part(said),), reason)
    counted_part, rest = words(figure.value)
    missing = figure.reason or figure.status if figure.status == "partial" else None
    parts = [Part(counted_part, name, missing=missing), Part(rest)]
    if len(spans) > 1 and all(
        trend is not None and trend.direction == "level" for trend in (figure.in_a_month, figure.in_a_year)
    ):
        return _Clause((*parts, Part(", same as last month and last year")))
    for span in spans:
        trend = figure.in_a_month if span == "month" else figure.in_a_year
        if trend is None:
            continue
        broken = across.get((name, span), ())
        tone = "none" if broken else trend.tone
        parts += [Part(", "), Part(trend.said(span), tone=tone)]
        if broken:
            parts.append(Part(f" across a change in counting on {broken[-1].day}"))
    return _Clause(tuple(parts))


def _said(*clauses: _Clause) -> Sentence:
    """Clauses as one sentence. Why figures have no value is said once for all of them."""
    parts: list[Part] = []
    reasons = set()
    for clause in clauses:
        if not clause.parts or clause.reason in reasons:
            continue
        if clause.reason is not None:
            reasons.add(clause.reason)
        parts += [Part("; ")] if parts else []
        parts += clause.parts
    if not parts:
        return (Part("Not known."),)
    first = parts[0]
    return (replace(first, text=first.text[:1].upper() + first.text[1:]), *parts[1:], Part("."))


def _nothing(figure: Figure | None) -> str:
    """The verdict on a figure without a value."""
    if figure is None or figure.status != "none" or not figure.reason:
        return "Unknown"
    return figure.reason[:1].upper() + figure.reason[1:]


def listed(names: Sequence[str]) -> str:
    """Names as a phrase: a, b and c. Beyond the first three, they are only counted."""
    rest = len(names) - _MOST_NAMES
    shown = [*names[:_MOST_NAMES], *([f"{rest:,} more"] if rest > 0 else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
