"""The commands of the load stage."""

from __future__ import annotations

from lakepulse.logs import configure_logs
from lakepulse.settings import load_settings
from lakepulse.step import run_step


def load(*, tables: str | None = None, replay: bool = False) -> int:
    """Load new landings into the raw tables.

    Args:
        tables: names separated by commas; default: all.
        replay: load again what quarantine holds back instead, once its cause is fixed.
    """
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from spark_apps.load import load_step  # Spark takes seconds to import

        load_step(settings, tables, replay=replay)

    return run_step(step)


def maintain() -> int:
    """Compact tables, expire snapshots, remove orphaned files."""
    settings = load_settings()
    configure_logs(settings)

    def step() -> None:
        from spark_apps.maintain import maintain_step  # Spark takes seconds to import

        maintain_step(settings)

    return run_step(step)


def jars(*, cluster: bool = False) -> int:
    """Download the jars that Spark needs, and make the archive that lets local sessions start faster.

    Args:
        cluster: download what PostgreSQL and S3 need as well, and make no archive.
    """

    def step() -> None:
        from spark_apps.jars import install  # Spark takes seconds to import

        install(cluster=cluster)

    return run_step(step)
