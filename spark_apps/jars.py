"""What a session starts from: Java, the jars beside pyspark's own, and the archive of the JVM's loaded classes.

Jars are named by Maven coordinates alone. `python -m spark_apps.jars` has Spark's own Ivy resolve them once
into a folder; every later session starts from the files, without a network. `--cluster` adds what the
cluster's image needs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cyclopts
import pyspark
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

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
"""600 MB of AWS's SDK that the others depend on; Iceberg's bundle has what is needed of it."""

WRITE_ARCHIVE_TO = "LAKEPULSE_CLASS_ARCHIVE"
"""Variable that makes a session write the class archive to the path that it holds."""


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
        PermanentError: a jar is missing.
    """
    if lacking := missing(LOCAL, folder):
        raise PermanentError(f"{folder} lacks {', '.join(lacking)}; run `python -m spark_apps.jars` once, with a network")


def java_path() -> Path | None:
    """The Java runtime, which pyspark does not bring: JAVA_HOME's, else the first on the PATH; None if not found."""
    if home := os.environ.get("JAVA_HOME"):
        java = Path(home) / "bin" / "java"
        return java if java.is_file() else None
    found = shutil.which("java")
    return Path(found) if found else None


def require_java() -> None:
    """Check that there is a Java runtime.

    Raises:
        PermanentError: there is none.
    """
    if java_path() is None:
        home = os.environ.get("JAVA_HOME")
        where = f"JAVA_HOME ({home}) has no bin/java" if home else "no java on the PATH"
        raise PermanentError(f"{where}; Spark needs Java 17 or 21 (Debian: apt-get install openjdk-17-jre-headless)")


def archive_path() -> Path:
    """Path of the class archive for this Java, pyspark and set of jars, whether or not it exists."""
    java = java_path() or Path("java")
    facts = (str(java.resolve()), pyspark.__version__, str(Path(pyspark.__file__).parent), *LOCAL)
    return jars_dir() / f"classes-{hashlib.sha256('|'.join(facts).encode()).hexdigest()[:16]}.jsa"


def archive_options() -> list[str]:
    """JVM options that use the class archive, or write it; none without one."""
    quiet = ["-Xlog:cds=off", "-Xlog:cds+dynamic=off"]  # an archive that no longer fits is no fault
    if target := os.environ.get(WRITE_ARCHIVE_TO):
        return [f"-XX:ArchiveClassesAtExit={target}", *quiet]
    path = archive_path()
    return [f"-XX:SharedArchiveFile={path}", *quiet] if path.is_file() else []


def resolve(coordinates: tuple[str, ...], folder: Path) -> None:
    """Fetch every artifact of `coordinates`, and what they depend on, into `folder`.

    Raises:
        PermanentError: Java is missing.
        TemporaryError: the repository did not answer or lacks an artifact.
    """
    require_java()
    folder.mkdir(parents=True, exist_ok=True)
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
        raise TemporaryError(f"Ivy did not fetch {', '.join(lacking)}; run again")


def install(*, cluster: bool = False) -> None:
    """Download the jars that are missing and, without `cluster`, make the class archive.

    Raises:
        PermanentError: Java is missing.
        TemporaryError: the repository did not answer or lacks an artifact.
    """
    wanted, folder = CLUSTER if cluster else LOCAL, jars_dir()
    if missing(wanted, folder):
        resolve(wanted, folder)
    if not cluster and not archive_path().is_file():
        # In a process of its own: the JVM writes the archive as it ends. Without one, sessions start slower.
        subprocess.run([sys.executable, "-m", "spark_apps.class_archive"], check=False)
    jars = list(folder.glob("*.jar"))
    print(f"{folder}: {len(jars)} jars, {sum(jar.stat().st_size for jar in jars) / 1e6:.0f} MB", file=sys.stderr)


def main(*, cluster: bool = False) -> int:
    """`lakepulse jars` without the other commands: a layer of the Spark image has this module alone."""
    return run_step(lambda: install(cluster=cluster))


if __name__ == "__main__":
    cyclopts.run(main)
