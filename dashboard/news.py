"""What changed, in a few lines: alerts first, then what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from dashboard import briefs, queries, session, text, tiles
from dashboard.briefs import Briefed
from dashboard.publications import newest_when_published
from dashboard.session import View
from lakepulse.news import LABELS, Item, items

query = queries.beside(__file__)

_MOST = 3
"""Items of a line; the others are a click away."""
_OLD_NAMES = {
    "absence_factor": ("absence_factor_365d", "commits"),
    "backlog_index": ("closed_per_opened_12w", "issues"),
    "downloads_28d": ("downloads_per_day_28d", "pypi"),
    "response_hours": ("first_response_median_hours_12w", "issues"),
    "unanswered_issues": ("answered_7d_share_12w", "issues"),
}
"""What alerts of version 0.1 were about -> the figure of today, and the page of publications without it."""


def show(view: View, found: Briefed | None, days: int = 7) -> None:
    """Show the alerts of the publication and what happened in its last `days` days, or in one line that there is nothing.

    `found` is None of a publication without figures.
    """
    raised, unchecked, notes = _alerts(view)
    first = view.publication.as_of - timedelta(days=days - 1)
    has_news = view.has("fct_news")
    happened = items(view.arrow(query("news")).to_pylist(), first) if has_news else []
    lines: list[tiles.Line] = [("Alerts", [_alert(view, found, entry) for entry in raised])]
    lines += [(label, [_item(view, item) for item in happened if item.kind == kind]) for kind, label in LABELS.items()]
    lines = [line for line in lines if line[1]]
    hidden = [line for line in lines if len(line[1]) > _MOST]
    more = ["Everything"] if hidden else []
    if unchecked:
        hidden.append(("Not checked", [_alert(view, found, entry) for entry in unchecked]))
        more.append(text.count(len(unchecked), "rule") + " not checked")
    shown = [_short(*line) for line in lines]
    if not has_news:
        notes.append("this publication was made by an earlier version, without news")
    if not lines:
        said = f"nothing stands out in the last {days} days" if has_news else "no alerts"
        shown.append(("Nothing unusual", [("", "", said if notes else f"no alerts, and {said}")]))
    if notes:
        shown.append(("Note", [("", "", note) for note in notes]))
    tiles.news(shown, " · ".join(more), hidden)


def _short(heading: str, items_: Sequence[tuple[str, str, str]]) -> tiles.Line:
    rest = len(items_) - _MOST
    return heading, [*items_[:_MOST], *([("", "", f"{rest} more")] if rest > 0 else [])]


def _item(view: View, item: Item) -> tuple[str, str, str]:
    where = {
        "release": view.link("project", item.project, anchor="releases"),
        "unusual_downloads": view.link("pypi", item.project, anchor="unusual-days"),
        "backlog": view.link("issues", item.project),
        "newcomer": view.link("people", item.project),
    }
    return item.name, where[item.kind], item.text


def _alerts(view: View) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], list[str]]:
    """The alerts of the publication about the selected projects, the rules that could not be checked, and why none were."""
    publication = view.publication
    run = next((run for run in session.runs(view.settings) if run.run_id == publication.run_id), None)
    details = [step.get("details") or {} for step in json.loads((run and run.steps) or "[]")]
    raised, unchecked = (_of_selected(view, details, name) for name in ("alerts", "unchecked"))
    if run is None:
        return raised, unchecked, ["alerts unknown, since this publication's run was not recorded"]
    if failed := next((step["alerts_error"] for step in details if step.get("alerts_error")), None):
        return raised, unchecked, [f"rules not checked, {str(failed).rstrip(chr(46))}"]
    if publication.key not in newest_when_published(session.publications(view.settings)):
        return raised, unchecked, ["rules not checked, since a newer publication already existed"]
    return raised, unchecked, []


def _of_selected(view: View, details: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [entry for step in details for entry in step.get(name, []) if entry["project"] in view.selection.projects]


def _alert(view: View, found: Briefed | None, entry: Mapping[str, Any]) -> tuple[str, str, str]:
    # Version 0.1 called it a metric.
    name = str(entry.get("figure") or entry.get("metric") or "")
    figure, page = _OLD_NAMES.get(name, (name, "project"))
    project = str(entry["project"])
    if found is not None and figure in found.known:
        address = briefs.link(view, found, project, figure)
    else:
        address = view.link(page, project)
    return str(entry["message"]).rstrip("."), address, ""
