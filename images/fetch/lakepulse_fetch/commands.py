"""The commands of the fetch stage."""

from __future__ import annotations

from lakepulse.logs import configure_logs
from lakepulse.settings import load_settings
from lakepulse.step import run_step


def fetch(*, sources: str | None = None) -> int:
    """Fetch what is new upstream into the landings.

    Args:
        sources: names separated by commas; default: all that are configured.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from lakepulse_fetch.step import fetch_step

        fetch_step(settings, sources)

    return run_step(step)
