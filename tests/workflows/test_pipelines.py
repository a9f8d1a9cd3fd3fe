"""The declaration is consistent and names commands that exist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from cronsim import CronSim

from lakepulse.cli import COMMANDS
from lakepulse.settings import Settings
from lakepulse.sources import REGISTER, SOURCES
from workflows.pipelines import PARAMETERS, PIPELINES, RECORD, Pipeline, Step

FETCHED = set(SOURCES)
LOCAL_SOURCES = {entry.name for entry in REGISTER if entry.is_local}

EACH_PIPELINE = pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
STEPS = {(step.name, step.command): step for pipeline in PIPELINES.values() for step in (*pipeline.steps, RECORD)}


def sources(step: Step) -> set[str]:
    return set(step.command[-1].split(",")) if "--sources" in step.command else FETCHED


def test_pipelines_are_those_in_the_readme() -> None:
    assert set(PIPELINES) == {"daily", "base_repo", "commits", "issues", "downloads", "backfill", "replay", "maintenance"}


@EACH_PIPELINE
def test_order_respects_dependencies(pipeline: Pipeline) -> None:
    done: set[str] = set()
    for step in pipeline.order:
        assert set(step.after) <= done
        done.add(step.name)
    assert len(done) == len(pipeline.steps)
    assert RECORD.name not in done


@EACH_PIPELINE
def test_what_is_fetched_is_loaded_built_and_published(pipeline: Pipeline) -> None:
    if pipeline.name in {"maintenance", "replay"}:
        return
    fetch, load, build, publish = pipeline.order
    assert (fetch.name, load.name, build.name, publish.name) == ("fetch", "load", "build", "publish")
    tables = set(load.command[-1].split(",")) if "--tables" in load.command else {entry.table for entry in REGISTER}
    assert tables == {SOURCES[source].table for source in sources(fetch)}
    assert set(load.mutexes) == {f"raw.{table}" for table in tables}


def test_a_replay_loads_what_is_held_back_of_every_table_and_publishes() -> None:
    load, build, publish = PIPELINES["replay"].order
    assert (load.name, load.command[-1], build.name, publish.name) == ("load", "--replay", "build", "publish")
    assert load.mutexes == PIPELINES["daily"].order[1].mutexes


@EACH_PIPELINE
def test_parts_of_a_step_do_together_what_the_step_does_on_a_cluster(pipeline: Pipeline) -> None:
    for step in pipeline.steps:
        if step.parts:
            parts = [source for part in step.parts for source in part.sources]
            assert len(parts) == len(set(parts))
            assert set(parts) == sources(step) - LOCAL_SOURCES
            assert {mutex for part in step.parts for mutex in part.mutexes} == set(step.mutexes)


def test_every_source_has_a_group_and_a_pipeline_besides_daily() -> None:
    own = [source for name in ("base_repo", "commits", "issues", "downloads") for source in sources(PIPELINES[name].order[0])]
    assert sorted(own) == sorted(FETCHED)
    small = [PIPELINES[name] for name in ("base_repo", "commits", "issues", "downloads")]
    fetched = [source for pipeline in small for source in sources(pipeline.order[0])]
    assert len(fetched) == len(set(fetched))
    assert set(fetched) == FETCHED


def test_no_two_runs_call_one_upstream_at_once() -> None:
    asked: dict[str, set[tuple[str, ...]]] = {}
    for pipeline in PIPELINES.values():
        for part in (part for step in pipeline.steps for part in step.parts):
            for source in part.sources:
                asked.setdefault("github" if source.startswith("github_") else "pypi", set()).add(part.mutexes)
    assert asked == {"github": {("fetch.github",)}, "pypi": {("fetch.pypi",)}}


def test_two_writers_of_one_table_share_a_mutex() -> None:
    maintain = PIPELINES["maintenance"].steps[0]
    for (name, _), step in STEPS.items():
        if name not in {"fetch", "maintain"}:
            assert set(step.mutexes) <= set(maintain.mutexes)
            assert step.mutexes


@pytest.mark.parametrize("step", STEPS.values(), ids=[" ".join(command) for _, command in STEPS])
def test_command_is_one_of_the_console_commands(step: Step) -> None:
    *program, name = step.command[:4]
    assert program == ["python", "-m", "lakepulse"]
    assert name in {command.name for command in COMMANDS}


def test_parameters_are_settings_and_their_defaults_mean_unset() -> None:
    plain = Settings(_env_file=None).model_dump()
    for parameter in PARAMETERS.values():
        name = parameter.variable.lower()
        assert name in Settings.model_fields
        if parameter.default:
            assert Settings.model_validate({name: parameter.default}).model_dump()[name] == plain[name]


@EACH_PIPELINE
def test_pipeline_defaults_are_parameters(pipeline: Pipeline) -> None:
    assert set(pipeline.defaults) <= set(PARAMETERS)


def test_schedules_are_distinct_and_never_fire_together() -> None:
    assert {name for name, pipeline in PIPELINES.items() if not pipeline.schedule} == {"backfill", "replay"}
    schedules = [pipeline.schedule for pipeline in PIPELINES.values() if pipeline.schedule]
    week = datetime(2026, 11, 2, tzinfo=UTC)
    end = week + timedelta(days=7)
    fired = [time for schedule in schedules for time in takewhile(lambda time: time < end, CronSim(schedule, week))]
    assert len(fired) > 7
    assert len(fired) == len(set(fired))
