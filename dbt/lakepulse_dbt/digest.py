"""A week in Markdown: figures, what happened and what is wrong, for a mail or a chat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import duckdb
from pyiceberg.catalog import Catalog

from lakepulse.data_dir import open_data_dir
from lakepulse.settings import Settings
from lakepulse_dbt.alerts import check, load_rules
from lakepulse_dbt.figures import METRICS, Figure, figures, open_gold, percent
from lakepulse_dbt.publications import Publication, newest_publication
from lakepulse_dbt.steps import catalog_errors
from lakepulse_dbt.warehouse import open_catalog

# Each gives one list item a row; `$from` is the week's first day.
_EVENTS: dict[str, tuple[str, str]] = {
    "fct_releases": (
        "Releases",
        """
        select scope || ' ' || name || case when is_prerelease then ' (pre-release)' else '' end || ', '
            || strftime(released_at, '%Y-%m-%d')
        from fct_releases
        where released_at >= $from and not is_yanked
        order by released_at, scope, name
        """,
    ),
    "fct_download_anomalies": (
        "Unusual downloads",
        """
        select package || ': ' || format('{:,}', downloads) || ' on ' || strftime(date, '%Y-%m-%d')
            || ', usually about ' || format('{:,.0f}', median_28d)
        from fct_download_anomalies
        where date >= $from and is_anomaly and category = 'without_mirrors'
        order by date, package
        """,
    ),
    "fct_last_7_days_fct_issues": (
        "Issues opened",
        """
        select repo || ': ' || issues_last_7_days
        from fct_last_7_days_fct_issues
        where date = $from + 6 and issues_last_7_days > 0
        order by issues_last_7_days desc, repo
        """,
    ),
    "fct_unanswered_issues": (
        "Longest without an answer",
        """
        select repo || ' #' || number || ': ' || title || ', ' || format('{:,.0f}', age_days) || ' days'
        from fct_unanswered_issues
        order by age_days desc, repo, number
        limit 5
        """,
    ),
}


def digest(settings: Settings) -> str:
    """The week that ends with the newest publication's date, as Markdown.

    Raises:
        PermanentError: nothing is published yet, or the alert rules cannot be read.
    """
    open_data_dir(settings)
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
    alerts, _ = check(rules, found)
    for title, items in [("Alerts", [_plain(alert.message) for alert in alerts]), *events]:
        if items:
            lines += ["", f"## {title}", "", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def _events(catalog: Catalog, newest: Publication) -> Iterator[tuple[str, list[str]]]:
    names = set(_EVENTS) & newest.snapshots.keys()
    with open_gold(catalog, newest, names) as connection:
        for name, (title, sql) in _EVENTS.items():
            if name in names:
                yield title, _items(connection, sql, newest)


def _items(connection: duckdb.DuckDBPyConnection, sql: str, newest: Publication) -> list[str]:
    parameters = {"from": newest.as_of - timedelta(days=6)} if "$from" in sql else {}
    return [_plain(row[0]) for row in connection.execute(sql, parameters).fetchall()]


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


def _plain(text: str) -> str:
    """Text of others as text: no markup, link, mention or line of its own."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|@~])", r"\\\1", " ".join(text.split()))
