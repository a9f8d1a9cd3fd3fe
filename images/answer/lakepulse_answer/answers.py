"""The answers: each reads one publication, says where it comes from, and refuses what is not known.

Every function takes the pinned publication first and raises `PermanentError` with one line for what it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, validate_call

from lakepulse.figures import meanings, week_of, worded
from lakepulse.news import sentence
from lakepulse.outcome import PermanentError
from lakepulse_answer import documents
from lakepulse_answer.documents import Answer, Break, Coverage, Query, Receipt, Replayed, Result
from lakepulse_answer.reader import Pinned, Reader, Row, query, tables_of

NEWS_DAYS = 28
"""How far back `fct_news` goes."""

_MOST_WEEKS = 530
_MOST_ROWS = 200
_FAR = (date(1970, 1, 1), date(9999, 12, 31))


@dataclass
class Notes:
    """What an answer read, for its receipt."""

    pinned: Pinned
    names: list[str] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    definition: str | None = None
    coverage: list[Coverage] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def rows(self, name: str, **values: Any) -> list[Row]:
        """The rows of a query, which goes into the receipt."""
        found = self.pinned.rows(name, values)
        self.names.append(name)
        self.queries.append(Query(sql=query(name), parameters={key: _json(value) for key, value in values.items()}))
        return found

    def receipt(self, tool: str, arguments: Mapping[str, Any], result: BaseModel) -> Receipt:
        publication = self.pinned.publication
        tables = sorted({table for name in self.names for table in tables_of(name)})
        return Receipt(
            tool=tool,
            arguments=dict(arguments),
            publication=documents.Publication.model_validate(publication, from_attributes=True),
            snapshots={table: str(publication.snapshots[table]) for table in tables},
            queries=self.queries,
            definition=self.definition,
            status="partial" if self.reasons else "known",
            reason="; ".join(dict.fromkeys(self.reasons)) or None,
            coverage=self.coverage,
            known_breaks=self.breaks,
            result_sha256=documents.digest(result),
        )


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def shown(text: str) -> str:
    """What somebody sent, quoted and short enough for one line."""
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def list_projects(notes: Notes) -> documents.Projects:
    return documents.Projects(projects=[documents.Project(**row) for row in notes.rows("projects")])


def list_figures(notes: Notes) -> documents.Figures:
    return documents.Figures(figures=list(_figures(notes).values()))


def read_figure(notes: Notes, project: str, figure: str, period: str | None) -> documents.FigureValues:
    meaning = _figure(notes, figure)
    _project(notes, project)
    first, last = _weeks(notes, figure, [project], period)
    rows = notes.rows("weeks", project=project, figure=figure, first=first, last=last)
    if not rows:
        raise PermanentError(f"{meaning.title} of {project}: no row from {first} to {last}; the history begins later")
    if len(rows) > _MOST_WEEKS:
        raise PermanentError(f"{len(rows)} weeks are too many for one answer; name a period of at most {_MOST_WEEKS}")
    if all(row["value"] is None for row in rows):
        newest = rows[-1]
        raise PermanentError(f"{meaning.title} of {project} is {newest['status']}: {newest['reason'] or 'no reason is given'}")
    _note(notes, meaning, [project], rows)
    weeks = [documents.Week(**row, text=_text(row, meaning.unit)) for row in rows]
    return documents.FigureValues(project=project, figure=figure, unit=meaning.unit, weeks=weeks)


def compare(notes: Notes, figure: str, projects: Sequence[str] | None, week: str | None) -> documents.Comparison:
    meaning = _figure(notes, figure)
    known = _projects(notes)
    chosen = list(dict.fromkeys(projects)) if projects else known
    for project in chosen:
        _known("project", project, known)
    first, last = _weeks(notes, figure, chosen, week)
    if first != last:
        raise PermanentError("compare takes one week: a date as YYYY-MM-DD, or none for the newest")
    rows = notes.rows("compared", figure=figure, week=last, projects=chosen)
    if not any(row["value"] is not None for row in rows):
        reasons = (
            "; ".join(f"{row['project']}: {row['reason'] or row['status']}" for row in rows) or f"no row in the week of {last}"
        )
        raise PermanentError(f"{meaning.title} is known for none of them: {reasons}")
    _note(notes, meaning, chosen, rows)
    found = [
        documents.ComparedProject(
            **{key: row[key] for key in ("project", "value", "n", "status", "reason")}, text=_text(row, meaning.unit)
        )
        for row in rows
    ]
    return documents.Comparison(figure=figure, unit=meaning.unit, better=meaning.better, week=last, projects=found)


def people(notes: Notes, project: str, window_days: int, most: int) -> documents.People:
    _project(notes, project)
    windows = [row["window_days"] for row in notes.rows("windows")]
    if window_days not in windows:
        known = ", ".join(map(str, windows))
        raise PermanentError(f"window_days {window_days} is not available; known: {known} (0 is all time)")
    rows = notes.rows("people", project=project, window_days=window_days, most=_most(most))
    if not rows:
        raise PermanentError(f"{project} has no commit by a person in the window of {window_days} days")
    _cover(notes, [project], ["github_commits"])
    return documents.People(project=project, window_days=window_days, people=[documents.Person(**row) for row in rows])


def releases(notes: Notes, project: str, most: int) -> documents.Releases:
    _project(notes, project)
    rows = notes.rows("releases", project=project, most=_most(most))
    _cover(notes, [project], ["github_releases", "pypi_releases"])
    if not rows:
        raise PermanentError(f"{project} has no final release{_why(notes)}")
    return documents.Releases(project=project, releases=[documents.Release(**row) for row in rows])


def what_changed(notes: Notes, project: str | None, days: int) -> documents.Changes:
    if not 1 <= days <= NEWS_DAYS:
        raise PermanentError(f"days must be 1 to {NEWS_DAYS}, which is how far back events are kept")
    known = _projects(notes)
    if project is not None:
        _known("project", project, known)
    chosen = known if project is None else [project]
    first = notes.pinned.publication.as_of - timedelta(days=days - 1)
    rows = notes.rows("news", projects=chosen, first=first)
    _cover(notes, chosen, None)
    keys = documents.Event.model_fields.keys() - {"text"}
    return documents.Changes(
        since=first, events=[documents.Event(**{key: row[key] for key in keys}, text=sentence(row)) for row in rows]
    )


def explain_figure(notes: Notes, figure: str) -> documents.Explanation:
    meaning = _figure(notes, figure)
    notes.definition = meaning.definition
    notes.breaks = _breaks(notes, meaning.sources, _projects(notes), *_FAR)
    return documents.Explanation(figure=meaning, known_breaks=notes.breaks)


def freshness(notes: Notes, project: str) -> documents.Freshness:
    _project(notes, project)
    _cover(notes, [project], None)
    if not notes.coverage:
        raise PermanentError(f"nothing was fetched for {project} yet")
    return documents.Freshness(project=project, sources=notes.coverage)


Tool = Callable[..., BaseModel]

TOOLS: dict[str, Tool] = {
    tool.__name__: tool
    for tool in (
        list_projects,
        list_figures,
        read_figure,
        compare,
        people,
        releases,
        what_changed,
        explain_figure,
        freshness,
    )
}
"""Name -> function, for `replay`."""

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def ask(reader: Reader, tool: Callable[..., Result], as_of: str | None, arguments: Mapping[str, Any]) -> Answer[Result]:
    """A tool's answer from the publication of a run or a date, or from the newest.

    Raises:
        PermanentError: what is asked for does not exist or is not known; the message says which and why.
    """
    with reader.lock:
        return _ask(reader.find(as_of), tool, arguments, tool.__name__)


def _ask(pinned: Pinned, tool: Callable[..., Result], arguments: Mapping[str, Any], name: str) -> Answer[Result]:
    notes = Notes(pinned)
    result = tool(notes, **arguments)
    return Answer(result=result, receipt=notes.receipt(name, arguments, result))


def replay(reader: Reader, receipt: Receipt) -> Replayed:
    """The receipt's answer, read again from its snapshots.

    Only the tool and its arguments are taken from the receipt; its SQL is compared and never run.

    Raises:
        PermanentError: its publication or a snapshot is gone, or the receipt was changed.
    """
    tool = TOOLS.get(receipt.tool)
    if tool is None:
        raise PermanentError(f"the receipt names an unknown tool {shown(receipt.tool)}")
    given = receipt.publication
    with reader.lock:
        pinned = reader.of(f"{given.run_id} {given.published_at.isoformat()}")
        try:
            answer = _ask(pinned, validate_call(config=_STRICT)(tool), receipt.arguments, receipt.tool)
        except ValidationError:
            raise PermanentError(f"the receipt's arguments are not those of {receipt.tool}") from None
    fields = [name for name in Receipt.model_fields if getattr(receipt, name) != getattr(answer.receipt, name)]
    if fields:
        raise PermanentError(
            f"the receipt differs from its publication in {', '.join(fields)}; it was changed, or another version made it"
        )
    return Replayed(is_identical=True, result=answer.result.model_dump(mode="json"), receipt=answer.receipt)


def _figures(notes: Notes) -> dict[str, documents.Figure]:
    known = meanings(notes.rows("figures"))
    return {name: documents.Figure.model_validate(meaning, from_attributes=True) for name, meaning in known.items()}


def _figure(notes: Notes, name: str) -> documents.Figure:
    known = _figures(notes)
    _known("figure", name, known)
    notes.definition = known[name].definition
    if "project" not in known[name].scope_kinds:
        raise PermanentError(f"figure {name} is for {', '.join(known[name].scope_kinds)}, not for projects")
    return known[name]


def _projects(notes: Notes) -> list[str]:
    return [row["project"] for row in notes.rows("projects")]


def _project(notes: Notes, name: str) -> None:
    _known("project", name, _projects(notes))


def _known(kind: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise PermanentError(f"unknown {kind} {shown(name)}; known: {', '.join(names)}")


def _weeks(notes: Notes, figure: str, projects: Sequence[str], period: str | None) -> tuple[date, date]:
    """The Mondays of a period's first and last week; of none, the newest week twice."""
    if period is None or period == "all":
        [bounds] = notes.rows("bounds", figure=figure, projects=list(projects))
        if bounds["last"] is None:
            raise PermanentError(f"figure {figure} has no row for {', '.join(projects)}")
        return (bounds["first"] if period else bounds["last"]), bounds["last"]
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?", period):
        raise PermanentError(f"period {shown(period)} must be YYYY-MM-DD, YYYY-MM-DD/YYYY-MM-DD or all")
    try:
        days = [date.fromisoformat(part) for part in period.split("/")]
    except ValueError:
        raise PermanentError(f"period {shown(period)} has a day that does not exist") from None
    if days[-1] < days[0]:
        raise PermanentError(f"period {period} ends before it begins")
    newest = notes.pinned.publication.as_of
    if days[-1] > newest:
        raise PermanentError(f"{days[-1]} is after the publication's date, {newest}; later values are not known")
    return week_of(days[0]), week_of(days[-1])


def _most(most: int) -> int:
    if not 1 <= most <= _MOST_ROWS:
        raise PermanentError(f"most must be 1 to {_MOST_ROWS}")
    return most


def _note(notes: Notes, meaning: documents.Figure, projects: Sequence[str], rows: Sequence[Row]) -> None:
    """What the receipt says of these rows of `fct_figures`, which are sorted by week."""
    notes.reasons += [row["reason"] or row["status"] for row in rows if row["status"] != "known"]
    _cover(notes, projects, meaning.sources)
    # The first week's window begins its own length before the week ends.
    begins = rows[0]["week"] + timedelta(days=7 - meaning.window_days)
    notes.breaks = _breaks(notes, meaning.sources, projects, begins, rows[-1]["week"] + timedelta(days=6))


def _cover(notes: Notes, projects: Sequence[str], sources: Sequence[str] | None) -> None:
    rows = notes.rows("coverage", projects=list(projects), sources=None if sources is None else list(sources))
    notes.coverage = [Coverage(**row) for row in rows]


def _breaks(notes: Notes, sources: Sequence[str], projects: Sequence[str], first: date, last: date) -> list[Break]:
    rows = notes.rows("breaks", sources=list(sources), projects=list(projects), first=first, last=last)
    return [Break(**row) for row in rows]


def _why(notes: Notes) -> str:
    late = [
        f"{row.source} of {row.scope}: {row.detail or row.status or 'not fetched yet'}"
        for row in notes.coverage
        if row.last_fetched_at is None or row.status != "ok"
    ]
    return f"; {'; '.join(late)}" if late else ""


def _text(row: Row, unit: str) -> str:
    return row["reason"] or row["status"] if row["value"] is None else worded(row["value"], unit)
