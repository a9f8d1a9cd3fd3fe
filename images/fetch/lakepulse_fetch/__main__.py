"""`python -m lakepulse_fetch`: bring what is new upstream into the landings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import structlog

from lakepulse.data_dir import open_data_dir
from lakepulse.logs import configure_logs
from lakepulse.outcome import PermanentError, run_step
from lakepulse.projects import load_projects
from lakepulse.settings import Settings, load_settings
from lakepulse_fetch.display import display
from lakepulse_fetch.fetch import fetch
from lakepulse_fetch.sources import all_sources
from lakepulse_fetch.visit import Source

log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lakepulse_fetch", description=__doc__)
    parser.add_argument("--sources", help="names separated by commas; default: all that are configured")
    options = parser.parse_args(arguments)
    settings = load_settings()
    configure_logs(settings)
    return run_step(lambda: _run(settings, options.sources))


def _run(settings: Settings, named: str | None) -> None:
    sources = _chosen(settings, named)
    projects = load_projects(settings.projects)
    open_data_dir(settings)
    with display(settings) as progress:
        fetch(settings, sources, projects, name=_step_name(settings, named), progress=progress)


def _chosen(settings: Settings, named: str | None) -> list[Source]:
    known = all_sources()
    if named is None:
        return [source for source in known.values() if source.is_configured(settings)]
    names = [name.strip() for name in named.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise PermanentError(f"--sources: unknown source {', '.join(unknown) or repr(named)}; known: {', '.join(known)}")
    for name in names:
        if not known[name].is_configured(settings):
            # A pipeline names sources that only some installations have.
            log.info("source is not configured, nothing to fetch", source=name)
    return [known[name] for name in known if name in names and known[name].is_configured(settings)]


def _step_name(settings: Settings, named: str | None) -> str:
    """Each part of a fetch that is spread over pods has a report of its own."""
    parts = ["fetch"]
    if named is not None:
        parts += [name.strip() for name in named.split(",") if name.strip()]
    if settings.shard != "0/1":
        parts.append(settings.shard.replace("/", "-"))
    return "-".join(parts)


if __name__ == "__main__":
    sys.exit(main())
