"""The fetch step: which sources are fetched, checked before anything is written."""

from __future__ import annotations

import structlog

from lakepulse.data_dir import open_data_dir
from lakepulse.outcome import PermanentError
from lakepulse.projects import load_projects
from lakepulse.settings import Settings
from lakepulse_fetch.display import display
from lakepulse_fetch.fetch import fetch
from lakepulse_fetch.sources import all_sources
from lakepulse_fetch.visit import Source

log = structlog.get_logger()


def fetch_step(settings: Settings, named: str | None) -> None:
    """Fetch the sources `named` (separated by commas; None: all that are configured).

    Raises:
        StepError: a source is unknown, the project list or DATA_DIR is not usable, or a scope failed.
    """
    sources = _chosen(settings, named)
    projects = load_projects(settings.projects)
    open_data_dir(settings)
    with display(settings) as progress:
        fetch(settings, sources, projects, name=_step_name(settings, named), progress=progress)


def _chosen(settings: Settings, named: str | None) -> list[Source]:
    known = all_sources()
    if named is None:
        return [source for source in known.values() if source.is_configured(settings)]
    names = _names(named)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise PermanentError(f"--sources: unknown source {', '.join(unknown) or repr(named)}; known: {', '.join(known)}")
    for name in names:
        if not known[name].is_configured(settings):
            # A pipeline names sources that only some installations have.
            log.info("source is not configured, nothing to fetch", source=name)
    return [known[name] for name in known if name in names and known[name].is_configured(settings)]


def _names(named: str) -> list[str]:
    return [name.strip() for name in named.split(",") if name.strip()]


def _step_name(settings: Settings, named: str | None) -> str:
    """Each part of a fetch that is spread over pods has a report of its own."""
    parts = ["fetch", *_names(named or "")]
    if settings.shard != "0/1":
        parts.append(settings.shard.replace("/", "-"))
    return "-".join(parts)
