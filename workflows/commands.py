"""The console commands of the pipelines: run, submit, status and render."""

from __future__ import annotations

from lakepulse.outcome import PermanentError
from lakepulse.settings import load_settings
from lakepulse.step import run_step
from workflows.pipelines import PIPELINES, Pipeline


def run(pipeline: str = "daily", /) -> int:
    """Run a pipeline on this machine.

    Args:
        pipeline: daily, base_repo, commits, issues, downloads, backfill, replay or maintenance.
    """
    settings = load_settings()

    def step() -> int:
        from workflows import local

        return local.run(settings, _named(pipeline))

    return run_step(step)


def submit(pipeline: str = "daily", /, *parameters: str) -> int:
    """Run a pipeline on the cluster and watch it.

    Args:
        pipeline: daily, base_repo, commits, issues, downloads, backfill, replay or maintenance.
        parameters: NAME=VALUE, such as as_of=2026-01-31 or sweep=1.
    """

    def step() -> int:
        from workflows.cluster.submit import submit

        return submit(_named(pipeline), parameters)

    return run_step(step)


def status() -> int:
    """Show last runs, next times, freshness and pods in trouble."""

    def step() -> None:
        from workflows.cluster.status import status

        status()

    return run_step(step)


def _named(pipeline: str) -> Pipeline:
    if pipeline not in PIPELINES:
        raise PermanentError(f"unknown pipeline {pipeline!r}; known: {', '.join(PIPELINES)}")
    return PIPELINES[pipeline]
