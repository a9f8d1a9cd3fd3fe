"""The jars that Spark needs beside pyspark's own, named by Maven coordinates alone.

`python -m spark_apps.jars` lets Spark's own Ivy resolve them once into a folder; every later
session starts from the files, without a network. `--cluster` adds what the cluster's image needs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lakepulse.outcome import PermanentError, TemporaryError, run_step

LOCAL = (
    "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0",
    "org.xerial:sqlite-jdbc:3.50.3.0",
)
CLUSTER = (
    *LOCAL,
    "org.postgresql:postgresql:42.7.8",
    "org.apache.iceberg:iceberg-aws-bundle:1.12.0",
    # The Hadoop release that pyspark carries.
    "org.apache.hadoop:hadoop-aws:3.4.2",
    # Hadoop's S3 needs these and iceberg-aws-bundle lacks them; of the version that the bundle is made from.
    "software.amazon.awssdk:apache-client:2.54.17",
    "software.amazon.awssdk:s3-transfer-manager:2.54.17",
)

_EXCLUDED = tuple(f"software.amazon.awssdk:{name}" for name in ("[!as]*", "a[!p]*", "s3", "sdk-core"))
"""What the others ask for of AWS's SDK, 600 MB, and Iceberg's bundle has as far as it is needed."""


def jars_dir() -> Path:
    """The folder of the jars: SPARK_JARS_DIR, else one in the user's cache folder."""
    if chosen := os.environ.get("SPARK_JARS_DIR"):
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "lakepulse" / "jars"


def jar_name(coordinates: str) -> str:
    """The file name that Ivy gives an artifact."""
    return "{}_{}-{}.jar".format(*coordinates.split(":"))


def missing(coordinates: tuple[str, ...], folder: Path) -> list[str]:
    """Those of `coordinates` that `folder` does not hold."""
    return [name for name in coordinates if not (folder / jar_name(name)).is_file()]


def require_jars(folder: Path) -> None:
    """Check that a local session can start from `folder`.

    Raises:
        PermanentError: a jar is not there.
    """
    if lacking := missing(LOCAL, folder):
        raise PermanentError(f"{folder} lacks {', '.join(lacking)}; run `python -m spark_apps.jars` once, with a network")


def require_java() -> None:
    """Check that a Java runtime is there, which pyspark does not bring.

    Raises:
        PermanentError: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = (Path(home) / "bin" / "java").is_file() if home else shutil.which("java")
    if not found:
        where = f"JAVA_HOME ({home}) has no bin/java" if home else "no java on the PATH"
        raise PermanentError(f"{where}; Spark needs Java 17 or 21 (Debian: apt-get install openjdk-17-jre-headless)")


def resolve(coordinates: tuple[str, ...], folder: Path) -> None:
    """Bring every artifact of `coordinates`, and what they depend on, into `folder`.

    Raises:
        PermanentError: Java is missing.
        TemporaryError: the repository did not answer or lacks an artifact.
    """
    require_java()
    folder.mkdir(parents=True, exist_ok=True)
    from pyspark.errors import PySparkRuntimeError  # the command's --help needs no Spark
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory(dir=folder, prefix=".ivy-") as ivy:
        builder = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.jars.ivy", ivy)
            .config("spark.jars.packages", ",".join(coordinates))
            .config("spark.jars.excludes", ",".join(_EXCLUDED))
        )
        try:
            builder.getOrCreate().stop()
        except PySparkRuntimeError as error:
            raise TemporaryError(
                f"cannot resolve {', '.join(coordinates)} (Ivy's lines above say why); check the network, then run again"
            ) from error
        for jar in (Path(ivy) / "jars").glob("*.jar"):
            jar.replace(folder / jar.name)
    if lacking := missing(coordinates, folder):
        raise TemporaryError(f"Ivy did not bring {', '.join(lacking)}; run again")


def archive_classes() -> None:
    """Make the class archive of local sessions, in a process of its own; without it they start slower."""
    from spark_apps.class_archive import archive_path  # needs pyspark

    if not archive_path().is_file():
        subprocess.run([sys.executable, "-m", "spark_apps.class_archive"], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m spark_apps.jars", description=__doc__.split("\n")[0])
    parser.add_argument("--cluster", action="store_true", help="also what PostgreSQL and S3 need")
    wanted = CLUSTER if parser.parse_args().cluster else LOCAL
    folder = jars_dir()

    def step() -> None:
        if missing(wanted, folder):
            resolve(wanted, folder)
        if wanted is LOCAL:
            archive_classes()
        size = sum(jar.stat().st_size for jar in folder.glob("*.jar"))
        print(f"{folder}: {len(list(folder.glob('*.jar')))} jars, {size / 1e6:.0f} MB", file=sys.stderr)

    return run_step(step)


if __name__ == "__main__":
    sys.exit(main())
