"""A week in Markdown: what is wrong, what happened, each project in words and its figures, for a mail or a chat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from lakepulse.brief import QUESTIONS, Brief, briefs, plain
from lakepulse.data_dir import look_into_data_dir
from lakepulse.figures import Break, Figure, percent
from lakepulse.news import LABELS, items
from lakepulse.publications import newest_publication
from lakepulse.settings import Settings
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.figures import breaks, figures, rows
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

_TABLES = (
    "dim_projects",
    "fct_project_state",
    "fct_people",
    "fct_news",
    "fct_unanswered_issues",
    "fct_data_freshness",
    "fct_data_quality",
    "fct_known_breaks",
)
_MOST_WAITING = 5

Row = dict[str, Any]


def digest(settings: Settings) -> str:
    """The week that ends with the newest publication's date, as Markdown.

    Raises:
        PermanentError: nothing is published yet, or the alert rules cannot be read.
    """
    look_into_data_dir(settings)
    rules = load_rules(settings.alerts)
    with catalog_errors():
        catalog = open_catalog(settings)
        newest = newest_publication(catalog, settings)
        found = figures(catalog, newest)
        across = breaks(catalog, newest, found)
        tables = {name: rows(catalog, newest, name) for name in _TABLES}
    first = newest.as_of - timedelta(days=6)
    alerts, unchecked = check(rules, found, across)
    happened = items(tables["fct_news"], first)
    in_words = briefs(
        found,
        states=tables["fct_project_state"],
        people=tables["fct_people"],
        freshness=tables["fct_data_freshness"],
        members=tables["dim_projects"],
        breaks=tables["fct_known_breaks"],
        as_of=newest.as_of,
    )
    sections = [
        ("Alerts", [_plain(alert.message) for alert in alerts]),
        ("Rules that were not checked", [_plain(rule.message) for rule in unchecked]),
        *((label, [_plain(item.name + item.text) for item in happened if item.kind == kind]) for kind, label in LABELS.items()),
        *((_plain(brief.project), _in_words(brief)) for brief in in_words),
        ("Known breaks within a change", _breaks(across, found)),
        ("Longest without an answer", _waiting(tables["fct_unanswered_issues"])),
        ("Out of date", _late(tables["fct_data_freshness"])),
        ("Held back", _held_back(tables["fct_data_quality"])),
    ]
    lines = [f"# lakepulse, {first} to {newest.as_of}", ""]
    if newest.is_demo:
        lines += ["**Demo data: these figures are not real.**", ""]
    lines += _table(found)
    for title, entries in sections:
        if entries:
            lines += ["", f"## {title}", "", *(f"- {entry}" for entry in entries)]
    return "\n".join(lines) + "\n"


def _in_words(brief: Brief) -> list[str]:
    state = " ".join([brief.state, *([f"Note: {'; '.join(brief.notes)}."] if brief.notes else [])])
    answers = [
        f"**{QUESTIONS[answer.question]}** {_plain(f'{answer.verdict}. {plain(answer.sentence)}')}" for answer in brief.answers
    ]
    return [_plain(state), *answers] if state else answers


def _waiting(issues: list[Row]) -> list[str]:
    oldest = sorted(issues, key=lambda row: (-row["age_days"], row["repo"], row["number"]))[:_MOST_WAITING]
    return [
        _link(f"{row['repo']} #{row['number']}", row["url"]) + _plain(f": {row['title']}, {row['age_days']:,.0f} days")
        for row in oldest
    ]


def _late(freshness: list[Row]) -> list[str]:
    late = sorted((row for row in freshness if row["is_stale"]), key=itemgetter("source", "scope"))
    entries = []
    for source, found in groupby(late, key=itemgetter("source")):
        scopes = [f"{row['scope']}, {_last_fetched(row)}" for row in found]
        entries.append(_plain(f"{source}: {'; '.join(scopes)}"))
    return entries


def _last_fetched(row: Row) -> str:
    at = row["last_fetched_at"]
    return "not fetched yet" if at is None else f"last fetched {at:%Y-%m-%d}"


def _held_back(quality: list[Row]) -> list[str]:
    held = [row for row in quality if row["status"] == "held_back"]
    return [
        _plain(f"{row['scope']}, {row['check_name']}: {row['failing_rows']}, {row['reason']}")
        for row in sorted(held, key=itemgetter("check_name", "scope"))
    ]


def _breaks(across: Mapping[tuple[str, str], tuple[Break, ...]], found: Iterable[Figure]) -> list[str]:
    """Each break of a source that a change spans, and the figures concerned."""
    concerned: dict[Break, list[str]] = {}
    for figure in found:
        for known in across.get((figure.scope, figure.meaning.figure), ()):
            concerned.setdefault(known, []).append(f"{figure.scope}, {figure.meaning.title}")
    return [
        f"{_link(str(known.day), known.link)}{_plain(f': {known.what_changed} Compared across it: ' + '; '.join(of) + '.')}"
        for known, of in sorted(concerned.items(), key=lambda entry: (entry[0].day, entry[0].what_changed))
    ]


def _table(found: list[Figure]) -> list[str]:
    headline = {(figure.scope, place): figure for figure in found if (place := figure.meaning.headline) is not None}
    titles = dict(sorted((place, figure.meaning.title) for (_, place), figure in headline.items()))
    if not titles:
        return []
    lines = [f"| project | {' | '.join(map(_plain, titles.values()))} |", f"|---|{'---:|' * len(titles)}"]
    for project in dict.fromkeys(scope for scope, _ in headline):
        cells = (_cell(figure) if (figure := headline.get((project, place))) else "" for place in titles)
        lines.append(f"| {_plain(project)} | {' | '.join(cells)} |")
    return lines


def _cell(figure: Figure) -> str:
    """The figure, its change in four weeks, and what is missing of it."""
    parts = [percent(figure.change)] if figure.change is not None else []
    parts += [figure.reason] if figure.status == "partial" and figure.reason else []
    return _plain(figure.text) + (f" ({_plain('; '.join(parts))})" if parts else "")


def _link(text: str, address: str | None) -> str:
    """The text as a link, if the address is a web address that cannot end the link early."""
    safe = address is not None and re.fullmatch(r"https?://[^\s<>()\[\]\\]+", address)
    return f"[{_plain(text)}]({address})" if safe else _plain(text)


def _plain(text: str) -> str:
    """Text of others as text: no markup, link, mention or line break of its own."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|@~])", r"\\\1", " ".join(text.split()))
