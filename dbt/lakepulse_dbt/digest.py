"""A week in Markdown: figures, what happened and what is wrong, for a mail or a chat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import duckdb
from pyiceberg.catalog import Catalog

from lakepulse.data_dir import look_into_data_dir
from lakepulse.publications import Publication, newest_publication
from lakepulse.settings import Settings
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.figures import METRICS, Break, Figure, figures, open_gold, percent
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

# Each gives a list item a row: a text, or what an address is put behind, the address, and what follows it.
# `$from` is the first of the seven days that end with the publication's date. Title -> tables, SQL.
_EVENTS: dict[str, tuple[set[str], str]] = {
    "Releases": (
        {"fct_releases"},
        """
        select scope || ' ' || name || case when is_prerelease then ' (pre-release)' else '' end || ', '
            || strftime(released_at, '%Y-%m-%d')
        from fct_releases
        where released_at >= $from and not is_yanked
        order by released_at, scope, name
        """,
    ),
    "Unusual downloads": (
        {"fct_download_anomalies", "fct_known_breaks"},
        """
        select package || ': ' || format('{:,}', downloads) || ' on ' || strftime(date, '%Y-%m-%d')
            || ', usually about ' || format('{:,.0f}', median_28d)
            || coalesce(', counted otherwise before the known break of ' || (
                select strftime(max(breaks.from_date), '%Y-%m-%d')
                from fct_known_breaks as breaks
                where breaks.source in ('pypistats', 'pypistats_overall') and coalesce(breaks.scope, '') in ('', days.package)
                    and breaks.from_date <= days.date and coalesce(breaks.to_date, breaks.from_date) >= days.date - 27
            ), '')
        from fct_download_anomalies as days
        where date >= $from and is_anomaly and category = 'without_mirrors'
        order by date, package
        """,
    ),
    "Newcomers": (
        {"fct_first_commits"},
        """
        select repo || ': ' || count(*) || ' with a first commit: ' || array_to_string(list(author order by author)[:10], ', ')
            || case when count(*) > 10 then ' and ' || (count(*) - 10) || ' more' else '' end
        from fct_first_commits
        where first_commit_date >= $from
        group by repo
        order by count(*) desc, repo
        """,
    ),
    # As the dashboard has it: grew at the end of the last whole week and shrank a week earlier, or the other way round.
    "Backlogs that turned": (
        {"fct_issue_backlog"},
        """
        select now.repo || ': ' || case when now.backlog_index < 1 then 'began to grow' else 'began to shrink' end || ', '
            || format('{:.2f}', now.backlog_index) || ' closed per opened in 8 weeks, '
            || format('{:.2f}', before.backlog_index) || ' a week earlier'
        from fct_issue_backlog as now
        join fct_issue_backlog as before on now.repo = before.repo and before.week = now.week - 7
        where now.week = cast(date_trunc('week', $from + 6) as date) - 7
            and (
                (now.backlog_index < 1 and before.backlog_index >= 1)
                or (now.backlog_index > 1 and before.backlog_index <= 1)
            )
        order by now.repo
        """,
    ),
    "Issues opened": (
        {"fct_last_7_days_fct_issues"},
        """
        select repo || ': ' || issues_last_7_days
        from fct_last_7_days_fct_issues
        where date = $from + 6 and issues_last_7_days > 0
        order by issues_last_7_days desc, repo
        """,
    ),
    "Longest without an answer": (
        {"fct_unanswered_issues"},
        """
        select repo || ' #' || number, url, ': ' || title || ', ' || format('{:,.0f}', age_days) || ' days'
        from fct_unanswered_issues
        order by age_days desc, repo, number
        limit 5
        """,
    ),
    "Late sources": (
        {"fct_data_freshness"},
        """
        select source || ': ' || string_agg(
            scope || coalesce(', last had ' || strftime(last_fetched_at, '%Y-%m-%d'), ', never had'), '; ' order by scope
        )
        from fct_data_freshness
        where is_stale
        group by source
        order by source
        """,
    ),
}


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
        events = list(_events(catalog, newest))
    first = newest.as_of - timedelta(days=6)
    lines = [f"# lakepulse, {first} to {newest.as_of}", ""]
    if newest.is_demo:
        lines += ["**Demo data: these figures are not real.**", ""]
    lines += _table(found)
    alerts, unchecked = check(rules, found)
    sections = [
        ("Alerts", [_plain(alert.message) for alert in alerts]),
        ("Rules that were not checked", [_plain(rule.message) for rule in unchecked]),
        ("Known breaks within a change", _breaks(found)),
    ]
    for title, items in [*sections, *events]:
        if items:
            lines += ["", f"## {title}", "", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def _events(catalog: Catalog, newest: Publication) -> Iterator[tuple[str, list[str]]]:
    # A publication by other code may lack a table.
    events = {title: event for title, event in _EVENTS.items() if event[0] <= newest.snapshots.keys()}
    with open_gold(catalog, newest, set().union(*(tables for tables, _ in events.values()))) as connection:
        for title, (_, sql) in events.items():
            yield title, _items(connection, sql, newest)


def _items(connection: duckdb.DuckDBPyConnection, sql: str, newest: Publication) -> list[str]:
    parameters = {"from": newest.as_of - timedelta(days=6)} if "$from" in sql else {}
    return [_item(*row) for row in connection.execute(sql, parameters).fetchall()]


def _item(text: str, address: str | None = None, rest: str = "") -> str:
    return _link(text, address) + _plain(rest)


def _breaks(found: list[Figure]) -> list[str]:
    """Each break of a source that lies between a figure and the one it is compared with, and the figures concerned."""
    concerned: dict[Break, list[str]] = {}
    for figure in found:
        for known in figure.breaks:
            concerned.setdefault(known, []).append(f"{figure.project}, {METRICS[figure.metric].title}")
    return [
        f"{_link(str(known.day), known.link)}{_plain(f': {known.what_changed} Compared across it: ' + '; '.join(of) + '.')}"
        for known, of in sorted(concerned.items(), key=lambda entry: (entry[0].day, entry[0].what_changed))
    ]


def _table(found: list[Figure]) -> list[str]:
    titles = [METRICS[name].title for name in METRICS]
    lines = [f"| project | {' | '.join(titles)} |", f"|---|{'---:|' * len(titles)}"]
    for project in dict.fromkeys(figure.project for figure in found):
        cells = [_cell(figure) for figure in found if figure.project == project]
        lines.append(f"| {_plain(project)} | {' | '.join(cells)} |")
    return lines


def _cell(figure: Figure) -> str:
    change = figure.change
    return figure.text if change is None else f"{figure.text} ({percent(change)})"


def _link(text: str, address: str | None) -> str:
    """The text as a link, if the address is one of the web that can end nothing early."""
    safe = address is not None and re.fullmatch(r"https?://[^\s<>()\[\]\\]+", address)
    return f"[{_plain(text)}]({address})" if safe else _plain(text)


def _plain(text: str) -> str:
    """Text of others as text: no markup, link, mention or line of its own."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|@~])", r"\\\1", " ".join(text.split()))
