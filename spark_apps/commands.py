"""The commands of this stage, for the console command `lakepulse`; Spark is imported by the one that runs."""

from __future__ import annotations


def load(*, tables: str | None = None, replay: bool = False) -> int:
    """Load every landing that is complete and not loaded yet into the raw tables.

    Args:
        tables: raw tables, separated by commas; all by default.
        replay: load again what quarantine holds back instead, once its cause is fixed.
    """
    from spark_apps.load import main

    return main(tables=tables, replay=replay)


def maintain() -> int:
    """Keep the tables small and quick: compact files, expire old snapshots, remove what nothing needs."""
    from spark_apps.maintain import main

    return main()


def jars(*, cluster: bool = False) -> int:
    """Fetch the jars that Spark needs, and make the archive that lets local sessions start faster.

    Args:
        cluster: fetch what PostgreSQL and S3 need as well, and make no archive.
    """
    from spark_apps.jars import main

    return main(cluster=cluster)
