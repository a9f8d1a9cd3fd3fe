"""The pipelines, declared once: which steps, in which order, under which limits.

`workflows.local` runs this declaration as processes, `workflows.argo` renders it for a cluster.
Nothing here depends on either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Literal

from lakepulse.sources import REGISTER, SOURCES, raw_tables

Image = Literal["fetch", "spark", "dbt"]
Secret = Literal["storage", "catalog", "github", "webhook"]

MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a step requests and its limits; Kubernetes quantities."""

    cpu: str
    cpu_limit: str
    memory: str
    memory_limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of a fetch that can run beside the other parts: the command with `--sources`."""

    name: str
    sources: tuple[str, ...]
    mutexes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a pipeline.

    `name` is the name of its StepReport. `command` is the exact container command. A mutex is
    held from the first to the last step of a pipeline that names it, and by one run at a time.
    `retries` counts the attempts after a first one that may succeed when repeated, such as one
    with exit code 75; any other failure ends the pipeline. `deadline` is in seconds and limits one
    attempt. `parts` is how the step is split on a cluster; together they do what the step does,
    except for sources that read local files.
    """

    name: str
    image: Image
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    mutexes: tuple[str, ...] = ()
    secrets: tuple[Secret, ...]
    retries: int = 0
    deadline: int
    resources: Resources
    parts: tuple[Part, ...] = ()
    has_executors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Steps in a valid order, `record` not among them: it ends every run, failed ones too.

    `schedule` is a cron expression in UTC; None means on demand only. `defaults` are values
    of parameters (names of `PARAMETERS`) that differ from the general ones.
    """

    name: str
    purpose: str
    steps: tuple[Step, ...]
    schedule: str | None
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def order(self) -> tuple[Step, ...]:
        """The steps, each after those that it depends on."""
        named = {step.name: step for step in self.steps}
        sorter = TopologicalSorter({step.name: step.after for step in self.steps})
        return tuple(named[name] for name in sorter.static_order())

    @property
    def deadline(self) -> int:
        """Seconds for all steps together, and for waiting until other runs let go of a mutex."""
        return sum(step.deadline for step in self.steps) + 2 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What can be set for one run; `variable` is the setting that a step reads."""

    variable: str
    default: str
    purpose: str


PARAMETERS: dict[str, Parameter] = {
    "as_of": Parameter(variable="AS_OF", default="", purpose="the run's date, UTC; empty: today"),
    "lookback": Parameter(variable="LOOKBACK", default="", purpose="days that a first load looks back; empty: all history"),
    "sweep": Parameter(variable="SWEEP", default="0", purpose="1: list everything again, to find what upstream deleted"),
    "allow_shrink": Parameter(
        variable="ALLOW_SHRINK", default="0", purpose="1: let a load mark more than half of a scope's rows as deleted"
    ),
}
"""Parameters of every pipeline that a step reads as a setting. Empty means unset."""

# --- what is fetched and loaded

_ALL = tuple(SOURCES)
_COMMAND = ("python", "-m", "lakepulse")


def _of(pipeline: str) -> tuple[str, ...]:
    """The sources that a pipeline fetches between two daily runs."""
    return tuple(entry.name for entry in REGISTER if entry.pipeline == pipeline)


# CPU requests are small, so that everything fits a laptop's two cores beside Kubernetes itself.
_SMALL = Resources(cpu="100m", cpu_limit="1", memory="192Mi", memory_limit="512Mi")
_DRIVER = Resources(cpu="100m", cpu_limit="2", memory="1536Mi", memory_limit="2560Mi")
_DBT = Resources(cpu="100m", cpu_limit="1", memory="384Mi", memory_limit="1536Mi")


def _fetch(sources: tuple[str, ...], deadline: int) -> Step:
    chosen = [entry for entry in REGISTER if entry.name in sources and not entry.is_local]
    parts = tuple(
        # One per upstream: a second run with the same tokens would send requests at the same time.
        Part(name=part, sources=tuple(entry.name for entry in chosen if entry.part == part), mutexes=(f"fetch.{part}",))
        for part in dict.fromkeys(entry.part for entry in chosen)
    )
    everything = set(sources) == set(_ALL)
    return Step(
        name="fetch",
        image="fetch",
        command=(*_COMMAND, "fetch", *(() if everything else ("--sources", ",".join(sources)))),
        mutexes=tuple(mutex for part in parts for mutex in part.mutexes),
        secrets=("storage", "github"),
        retries=3,
        deadline=deadline,
        resources=_SMALL,
        parts=parts,
    )


def _load(sources: tuple[str, ...], deadline: int) -> Step:
    tables = tuple(dict.fromkeys(SOURCES[source].table for source in sources))
    everything = set(sources) == set(_ALL)
    return Step(
        name="load",
        image="spark",
        command=(*_COMMAND, "load", *(() if everything else ("--tables", ",".join(tables)))),
        after=("fetch",),
        mutexes=tuple(f"raw.{table}" for table in tables),
        secrets=("storage", "catalog"),
        retries=2,
        deadline=deadline,
        resources=_DRIVER,
        has_executors=True,
    )


_REPLAY = dataclasses.replace(_load(_ALL, 2 * HOUR), command=(*_COMMAND, "load", "--replay"), after=())

_BUILD = Step(
    name="build",
    image="dbt",
    command=(*_COMMAND, "build"),
    after=("load",),
    # Publish reads what build left behind, so no other run may build in between.
    mutexes=("gold",),
    secrets=("storage", "catalog"),
    retries=2,
    deadline=2 * HOUR,
    resources=_DBT,
)

_PUBLISH = dataclasses.replace(_BUILD, name="publish", command=(*_COMMAND, "publish"), after=("build",), deadline=HOUR)

RECORD = Step(
    name="record",
    image="dbt",
    command=(*_COMMAND, "record"),
    mutexes=("ops",),
    secrets=("storage", "catalog", "webhook"),
    retries=3,
    deadline=10 * MINUTE,
    resources=_DBT,
)
"""Ends every run; reads how it ended from OUTCOME and FAILED_STEP."""

_MAINTAIN = Step(
    name="maintain",
    image="spark",
    command=(*_COMMAND, "maintain"),
    mutexes=(*(f"raw.{table}" for table in raw_tables()), "gold", "ops"),
    secrets=("storage", "catalog"),
    retries=1,
    deadline=4 * HOUR,
    resources=_DRIVER,
    has_executors=True,
)


def _chain(sources: tuple[str, ...], fetch_deadline: int = 2 * HOUR, load_deadline: int = 2 * HOUR) -> tuple[Step, ...]:
    return (_fetch(sources, fetch_deadline), _load(sources, load_deadline), _BUILD, _PUBLISH)


PIPELINES: dict[str, Pipeline] = {
    pipeline.name: pipeline
    for pipeline in (
        Pipeline(
            name="daily",
            purpose="every source, the whole chain",
            steps=_chain(_ALL, fetch_deadline=6 * HOUR),
            schedule="30 4 * * *",
        ),
        Pipeline(
            name="base_repo",
            purpose="repository snapshots and releases; late, since a day's last snapshot counts",
            steps=_chain(_of("base_repo")),
            schedule="20 23 * * *",
        ),
        Pipeline(
            name="commits",
            purpose="commits of the default branches",
            steps=_chain(_of("commits")),
            schedule="10 11,19 * * *",
        ),
        Pipeline(
            name="issues",
            purpose="issues, pull requests and their comments",
            steps=_chain(_of("issues")),
            schedule="40 9,14,20 * * *",
        ),
        Pipeline(
            name="downloads",
            purpose="downloads and releases of packages",
            steps=_chain(_of("downloads")),
            schedule="30 16 * * *",
        ),
        Pipeline(
            name="backfill",
            purpose="every source in full: older history, and what upstream deleted",
            steps=_chain(_ALL, fetch_deadline=24 * HOUR, load_deadline=8 * HOUR),
            schedule=None,
            defaults={"sweep": "1"},
        ),
        Pipeline(
            name="replay",
            purpose="what quarantine holds, loaded again once the cause is fixed",
            steps=(_REPLAY, _BUILD, _PUBLISH),
            schedule=None,
        ),
        Pipeline(
            name="maintenance",
            purpose="compaction, snapshot expiry, orphan files",
            steps=(_MAINTAIN,),
            schedule="0 1 * * 0",
        ),
    )
}
