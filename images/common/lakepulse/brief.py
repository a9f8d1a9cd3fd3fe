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
    "archived": "a repository archived",
    "deprecated": "a package deprecated",
    "disabled": "a repository disabled",
    "issues_off": "issues switched off",
    "not_found": "a part not found",
    "one_person": "one person makes half of the commits",
    "package_archived": "a package archived",
    "quarantined": "a package in quarantine",
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

_NOTHING = "nothing of the kind"
"""What `fct_figures` says of a figure that has no member to be made of."""
_SPANS = ("month", "year")
_MOST_NAMES = 2
_MOST_REASONS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence: plain text.

    `about` says where more is: the name of a figure, `people` or `data`; None for words between. `missing` is why the figure
    is partial, None where it is not. `arrow` shows a trend beside its words.
    """

    text: str
    about: str | None = None
    tone: Tone = "none"
    arrow: str = ""
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
            _Own(
                own,
                {(name, span): touched for span, by in across.items() for name in own if (touched := by.get((project, name)))},
            ),
            known_states.get(project),
            carriers=carriers.get(project, []),
            late=late.get(project, []),
        )
        for project, own in figures.items()
    ]


def _is_late(row: Row) -> bool:
    """Whether a source is out of date. Of what upstream no longer serves, the figures say that it is missing."""
    return row["is_stale"] and row.get("status") not in {"gone", "closed"}


@dataclass(frozen=True, slots=True)
class _Clause:
    """What a sentence says of one figure. Of a figure without a value, `reason` is why."""

    parts: Sentence
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Own:
    """The figures of one project by name, and the known breaks within their changes by name and span (month or year)."""

    figures: Mapping[str, Figure]
    across: Mapping[tuple[str, str], tuple[Break, ...]]

    def clause(
        self,
        name: str,
        words: Callable[[float], tuple[str, str]],
        spans: Sequence[str] = _SPANS,
        called: str = "",
    ) -> _Clause:
        """A figure's value in `words`, its number first, and its trends; or why what it is `called` has none.

        Empty without such a figure.
        """
        figure = self.figures.get(name)
        if figure is None:
            return _Clause(())
        if figure.value is None:
            reason = _reason(figure)
            called = called or figure.meaning.title[:1].lower() + figure.meaning.title[1:]
            said = {"none": reason, "known": f"no {called} ({reason})"}.get(figure.status, f"{called} unknown ({reason})")
            return _Clause((Part(said),), reason)
        counted_part, rest = words(figure.value)
        missing = figure.reason or figure.status if figure.status == "partial" else None
        parts = [Part(counted_part, name, missing=missing), Part(rest)]
        trends = [
            (span, trend) for span in spans if (trend := figure.in_a_month if span == "month" else figure.in_a_year) is not None
        ]
        broken = {span: self.across[name, span][-1].day for span, _ in trends if (name, span) in self.across}
        if len(trends) == len(_SPANS) and not broken and trends[0][1].is_like(trends[1][1]):
            (_, month), (_, year) = trends
            rest = year.said("year")
            for shared in (f"{year.direction} ", "same as ", "from "):
                rest = rest.removeprefix(shared)
            said = f"{month.said('month')} and {rest}"
            return _Clause((*parts, Part(", "), Part(said, tone=month.tone, arrow=month.arrow)))
        for span, trend in trends:
            tone = "none" if span in broken else trend.tone
            parts += [Part(", "), Part(trend.said(span), tone=tone, arrow=trend.arrow)]
            if span in broken:
                parts.append(Part(f" across a change in counting on {broken[span]}"))
        return _Clause(tuple(parts))


def _brief(project: str, own: _Own, state: Row | None, *, carriers: Sequence[str], late: Sequence[str]) -> Brief:
    flags = [] if state is None else [flag for flag in (state["flags"] or "").split(", ") if flag]
    return Brief(
        project,
        "" if state is None else state["sentence"],
        # The state says that it is archived, and an answer who carries it.
        tuple(FLAGS.get(flag, flag) for flag in flags if flag not in {"one_person", None if state is None else state["state"]}),
        (
            _alive(own, None if state is None else state["state"]),
            _carried(own, carriers),
            _answered(own),
            _adopted(own),
            _trusted(own, late),
        ),
    )


def _alive(own: _Own, state: str | None) -> Answer:
    sentence = _said(
        own.clause("commits_365d", lambda value: (counted(value, "commit"), " in a year"), ("year",), "commits"),
        own.clause("commits_28d", lambda value: (number(value), " in 28 days"), ("month",), "commits in 28 days"),
        own.clause("days_since_release", lambda value: (f"last release {counted(value, 'day')} ago", ""), ()),
    )
    return Answer("alive", (state or "unknown").capitalize(), "none" if state in {"active", None} else "bad", sentence)


def _carried(own: _Own, carriers: Sequence[str]) -> Answer:
    def made(value: float) -> tuple[str, str]:
        return counted(value, "person", "people"), " made half of the commits in a year"

    factor = own.figures.get("absence_factor_365d")
    value = None if factor is None else factor.value
    first = own.clause("absence_factor_365d", made)
    if carriers and value is not None:
        # The names follow what was counted, before its trend.
        first = _Clause((*first.parts[:2], Part(" ("), Part(listed(carriers), "people"), Part(")"), *first.parts[2:]))
    # Of a handful of commits, somebody always made half.
    is_alone = factor is not None and value == 1 and factor.n >= FEW_COMMITS
    verdict = _nothing(factor) if value is None else "One person" if value == 1 else "A few" if value < MANY_PEOPLE else "Many"
    return Answer("carried", verdict, "bad" if is_alone else "none", _said(first))


def _answered(own: _Own) -> Answer:
    share = own.figures.get("answered_7d_share_12w")
    number_judged = 0 if share is None else share.n

    def answered(value: float) -> tuple[str, str]:
        return worded(value, "share"), f" of {counted(number_judged, 'new issue')} answered within 7 days"

    def median(value: float) -> tuple[str, str]:
        return f"median {worded(value, 'hours')}", ""

    sentence = _said(
        own.clause("answered_7d_share_12w", answered, called="answers within 7 days"),
        own.clause("first_response_median_hours_12w", median, (), "median"),
    )
    value = None if share is None else share.value
    verdict = _nothing(share) if value is None else next(word for least, word in ANSWERS if value >= least)
    return Answer("answered", verdict, "bad" if value is not None and value < FEW_ANSWERS else "none", sentence)


def _adopted(own: _Own) -> Answer:
    change = own.figures.get("downloads_change_year")
    downloads = own.clause("downloads_per_day_28d", lambda value: (counted(round(value), "download"), " a day"), ("month",))
    clauses = [downloads]
    if change is not None and change.value is None:
        clauses.append(own.clause("downloads_change_year", lambda _: ("", ""), (), "last year"))
    elif change is not None and change.value is not None:
        words = f"{'up' if change.value >= 0 else 'down'} {number(abs(round(change.value)))} % on last year"
        missing = change.reason or change.status if change.status == "partial" else None
        tone = "none" if missing else _tone(change.value)
        arrow = "▲" if change.value >= 0 else "▼"
        since = Part(words, "downloads_change_year", tone, arrow, missing)
        clauses = [_Clause((*downloads.parts, Part(", "), since))]
    clauses.append(own.clause("stars", lambda value: (counted(value, "star"), "")))
    percent = _growth(own)
    if percent is None:
        return Answer("adopted", "Unknown", "none", _said(*clauses))
    tone = _tone(percent)
    return Answer("adopted", {"good": "Growing", "bad": "Shrinking", "none": "Steady"}[tone], tone, _said(*clauses))


def _growth(own: _Own) -> float | None:
    """The percent change that adoption is judged by: of downloads before stars, of a year before a month.

    Only what is known for certain: a change across a known break is none.
    """
    change, downloads, stars = (own.figures.get(name) for name in ("downloads_change_year", "downloads_per_day_28d", "stars"))
    found = (
        change.value if change is not None and change.status == "known" else None,
        downloads.change if downloads is not None and ("downloads_per_day_28d", "month") not in own.across else None,
        stars.change_of_year if stars is not None and ("stars", "year") not in own.across else None,
        stars.change if stars is not None and ("stars", "month") not in own.across else None,
    )
    return next((percent for percent in found if percent is not None), None)


def _tone(percent: float) -> Tone:
    return "none" if abs(percent) < NOTABLE_PERCENT else "good" if percent > 0 else "bad"


def _trusted(own: _Own, late: Sequence[str]) -> Answer:
    judged = [figure for figure in own.figures.values() if figure.status != "none"]
    complete = sum(figure.status == "known" for figure in judged)
    unknown = sum(figure.status == "unknown" for figure in judged)
    reasons = Counter(figure.reason or figure.status for figure in judged if figure.status == "partial")
    broken = sorted({known.day for (_, span), found in own.across.items() if span == "month" for known in found})
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
        return Answer("trusted", "Barely", "bad", sentence)
    return Answer("trusted", "Partly" if reasons or late or broken else "Yes", "none", sentence)


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
        return (Part("No figures."),)
    first = parts[0]
    return (replace(first, text=first.text[:1].upper() + first.text[1:]), *parts[1:], Part("."))


def _nothing(figure: Figure | None) -> str:
    """The verdict on a figure without a value."""
    if figure is None or figure.status != "none":
        return "Unknown"
    reason = _reason(figure)
    return reason[:1].upper() + reason[1:]


def _reason(figure: Figure) -> str:
    """Why a figure has no value."""
    if figure.status == "none" and figure.reason in {None, _NOTHING}:
        is_of_repos = any(source.startswith("github") for source in figure.meaning.sources)
        return "no repository" if is_of_repos else "no package"
    return figure.reason or figure.status


def listed(names: Sequence[str]) -> str:
    """Names as a phrase: a, b and c. Beyond the first two, they are only counted."""
    rest = len(names) - _MOST_NAMES
    shown = [*names[:_MOST_NAMES], *([f"{rest:,} more"] if rest > 0 else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
