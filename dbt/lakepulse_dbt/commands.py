"""The commands of the transform stage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lakepulse.logs import configure_logs
from lakepulse.settings import load_settings
from lakepulse.step import run_step


def build() -> int:
    """Run dbt's models and data tests."""
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.build import build  # imports dbt and PyIceberg, which takes seconds

        build(settings)

    return run_step(step)


def publish() -> int:
    """Make what this run built the newest publication."""
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.publish import publish  # imports PyIceberg

        publish(settings)

    return run_step(step)


def record(
    *,
    outcome: Annotated[str | None, Parameter(env_var="OUTCOME")] = None,
    failed_step: Annotated[str | None, Parameter(env_var="FAILED_STEP")] = None,
    message: Annotated[str | None, Parameter(env_var="MESSAGE")] = None,
    engine_message: Annotated[str | None, Parameter(env_var="ENGINE_MESSAGE")] = None,
) -> int:
    """Notify the webhook, and record the run in ops.runs.

    Args:
        outcome: 'succeeded', in any case; anything else: the run failed. Default: as its step reports say.
        failed_step: name of the step that failed.
        message: why it failed, one line.
        engine_message: what the workflow engine says of the failure; used if no step says why.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.record import Ending, record  # imports PyIceberg

        record(settings, Ending(outcome, failed_step, message, engine_message))

    return run_step(step)


def watch(*, hours: float = 26) -> int:
    """Notify the webhook if no run of PIPELINE has succeeded for too long.

    Args:
        hours: how long; exit code 1 if none has.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.watch import watch  # imports PyIceberg

        watch(settings, hours)

    return run_step(step)


def export(out: Path, /) -> int:
    """Write the gold tables as Parquet and CSV.

    Args:
        out: a folder: new, empty, or an earlier export.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.export import export  # imports PyIceberg

        export(settings, out)

    return run_step(step)


def lake(
    out: Path,
    /,
    *,
    publication: str | None = None,
    address: str = "http://127.0.0.1:8700",
    readdress: bool = False,
) -> int:
    """Write the gold tables as a static Iceberg REST catalog with its data.

    Args:
        out: a folder: new, empty, or an earlier lake.
        publication: a run id, or a date as YYYY-MM-DD; default: the newest.
        address: where a web server serves the folder.
        readdress: give the lake in the folder another address, and copy nothing.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt import lake  # imports PyIceberg

        if readdress:
            lake.readdress(out, address)
        else:
            lake.lake(settings, out, publication, address)

    return run_step(step)


def site(out: Path, /, *, address: str | None = None) -> int:
    """Write a static JSON API, badges, charts and feeds.

    Args:
        out: a folder: new, empty, or an earlier site.
        address: where a web server serves the folder; default: links are relative.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.site import site  # imports PyIceberg

        site(settings, out, address)

    return run_step(step)


def digest() -> int:
    """Print the week as Markdown."""
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_dbt.digest import digest  # imports PyIceberg

        sys.stdout.write(digest(settings))

    return run_step(step)
