"""`lakepulse status`: last runs, next times, freshness and pods in trouble."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import humanize
import kr8s
import trino
from cronsim import CronSim, CronSimError
from kr8s.objects import Event, Pod
from rich.console import Console, Group, RenderableType
from rich.text import Text

from k8s.access import SECONDS, chosen_context, connection, forwarded
from k8s.ports import FORWARDS
from lakepulse.names import CATALOG, GOLD
from lakepulse.outcome import PermanentError, TemporaryError, one_line
from lakepulse.publications import recency
from workflows.cluster.pods import ago, note, pods_table, table
from workflows.cluster.runs import CronWorkflow, Document, Run, Workflow, time_of

_RUNS = 10
"""Number of runs that are shown."""


def status() -> None:
    """Print last runs, next times of the schedules, freshness and pods in trouble.

    Raises:
        PermanentError: the cluster or Argo's objects on it are missing.
        TemporaryError: the cluster does not answer.
    """
    context = chosen_context()
    now = datetime.now(UTC)
    with connection(context) as api:
        made = _listed(api, Workflow)
        workflows = sorted(made, key=lambda found: found["metadata"]["creationTimestamp"], reverse=True)
        parts = (
            Text(f"cluster {context}, namespace {api.namespace}, {now:%Y-%m-%d %H:%M} UTC", style="bold"),
            runs_table([Run.of(api, workflow) for workflow in workflows[:_RUNS]], now),
            schedules_table(_listed(api, CronWorkflow), now),
            freshness_table(api, now),
            pods_table(_listed(api, Pod), now, _warnings(api)),
        )
    Console().print(Group(*parts))


def _listed(api: kr8s.Api, kind: type, field_selector: str | None = None) -> list[Document]:
    return [dict(found) for found in api.get(kind, namespace=api.namespace, raw=True, field_selector=field_selector)]


def _warnings(api: kr8s.Api) -> dict[str, str]:
    """Pod -> the message of the newest warning about it."""
    events = _listed(api, Event, field_selector="type=Warning,involvedObject.kind=Pod")
    events.sort(key=lambda event: event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
    return {event["involvedObject"]["name"]: event.get("message", "") for event in events}


def runs_table(runs: Sequence[Run], now: datetime) -> RenderableType:
    """The newest runs, the last made first."""
    if not runs:
        return note("\nLast runs", "none on this cluster: make submit PIPELINE=daily")
    made = table("\nLast runs", "run", "pipeline", "outcome", "started", "took", "trouble")
    for run in runs:
        style = {"Succeeded": "green", "Running": "cyan", "Pending": "yellow"}.get(run.phase, "red")
        took = humanize.naturaldelta((run.ended or now) - run.started) if run.started else "-"
        started = ago(run.started, now) if run.started else "-"
        made.add_row(run.name, run.pipeline, Text(run.phase, style), started, took, Text(run.trouble[:200]))
    return made


def schedules_table(schedules: Sequence[Document], now: datetime) -> RenderableType:
    """Every schedule, the next to fire first."""
    if not schedules:
        return note("\nSchedules", "none: make cluster applies them")
    made = table("\nSchedules (UTC)", "pipeline", "next", "last", "schedule")
    rows = []
    for cron in schedules:
        spec = cron["spec"]
        last = time_of((cron.get("status") or {}).get("lastScheduledTime"))
        times = [] if spec.get("suspend") else [time for text in spec["schedules"] if (time := _next(text, now))]
        following = min(times, default=None)
        if spec.get("suspend"):
            fires = "suspended"
        elif following:
            fires = f"{following:%a %d %b %H:%M}, in {humanize.naturaldelta(following - now)}"
        else:
            fires = "never"
        order = following or datetime.max.replace(tzinfo=UTC)
        rows.append((order, cron["metadata"]["name"], fires, ago(last, now) if last else "never", ", ".join(spec["schedules"])))
    for _, *cells in sorted(rows):
        made.add_row(*cells)
    return made


def _next(schedule: str, now: datetime) -> datetime | None:
    try:
        return next(CronSim(schedule, now))
    except (CronSimError, StopIteration):
        return None


class _Fetched(NamedTuple):
    """How up to date a source is; `oldest` is the oldest fetch of a scope, UTC, and naive as gold has it."""

    source: str
    scopes: int
    oldest: datetime | None
    stale: int


def freshness_table(api: kr8s.Api, now: datetime) -> RenderableType:
    """The newest publication, and how old each source's data is."""
    try:
        published, sources = _freshness(api)
    except (TemporaryError, PermanentError) as error:
        return note("\nFreshness", f"unknown: {error}", "yellow")
    if published is None:
        return note("\nFreshness", "nothing is published yet")
    run_id, as_of, published_at = published
    title = f"\nFreshness (published {ago(published_at, now)} by {run_id}, as of {as_of})"
    made = table(title, "source", "scopes", "oldest fetch", "stale")
    for row in sources:
        fetched = ago(row.oldest.replace(tzinfo=UTC), now) if row.oldest else "never"
        made.add_row(row.source, str(row.scopes), fetched, Text(str(row.stale), "red" if row.stale else ""))
    return made


def _freshness(api: kr8s.Api) -> tuple[tuple[str, Any, datetime] | None, list[_Fetched]]:
    """Run, `as_of` and time of the newest publication, and its sources.

    Raises:
        PermanentError: the cluster has no Trino.
        TemporaryError: Trino does not answer.
    """
    target = FORWARDS["trino"]
    with forwarded(api, target.service, target.port) as port:
        connect: Any = trino.dbapi.connect
        connection = connect(
            host="127.0.0.1", port=port, user="status", catalog=CATALOG, schema=GOLD, request_timeout=SECONDS, max_attempts=1
        )
        cursor = connection.cursor()
        try:
            cursor.execute("select run_id, as_of, published_at from publications")
            newest = max(cursor.fetchall(), key=lambda row: recency(row[1], row[2]), default=None)
            if newest is None:
                return None, []
            cursor.execute(
                "select source, count(*), min(last_fetched_at), count_if(is_stale) from fct_data_freshness group by 1"
                " order by 1"
            )
            return (newest[0], newest[1], newest[2]), [_Fetched(*row) for row in cursor.fetchall()]
        except trino.exceptions.TrinoUserError as error:
            if error.error_name in {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
                return None, []
            raise TemporaryError(f"Trino refused: {one_line(error.message)}") from error
        except (trino.exceptions.Error, OSError) as error:
            raise TemporaryError(f"Trino does not answer ({one_line(error)[:200]})") from error
        finally:
            connection.close()
