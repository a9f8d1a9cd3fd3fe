"""What a session starts from: Java, the jars beside pyspark's own, and the archive of the JVM's loaded classes.

Jars are named by Maven coordinates alone. `python -m spark_apps.jars` has Spark's own Ivy resolve them once
into a folder; every later session starts from the files, without a network. `--cluster` adds what the
cluster's image needs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import cyclopts
import pyspark
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse.step import run_step

_JAVA = range(17, 22)
"""Versions of Java that Spark 4.1 runs on: 17 and 21, and those between."""

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
        raise PermanentError(f"{folder} lacks {', '.join(lacking)}; run `python -m spark_apps.jars` once, with network access")


def java_path() -> Path | None:
    """The Java runtime, which pyspark does not bring: JAVA_HOME's, else the first on the PATH; None if not found."""
    if home := os.environ.get("JAVA_HOME"):
        java = Path(home) / "bin" / "java"
        return java if java.is_file() else None
    found = shutil.which("java")
    return Path(found) if found else None


def require_java() -> None:
    """Check that there is a Java runtime that Spark runs on.

    Raises:
        PermanentError: there is none, or it is of another version.
    """
    java = java_path()
    advice = "Spark needs Java 17 or 21; install one (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
    if java is None:
        home = os.environ.get("JAVA_HOME")
        raise PermanentError(f"{f'JAVA_HOME ({home}) has no bin/java' if home else 'no java on the PATH'}; {advice}")
    version = _java_version(java)
    major = re.match(r"(?:1\.)?(\d+)", version)
    if major is None or int(major[1]) not in _JAVA:
        raise PermanentError(f"{java} is Java {version or 'of an unknown version'}; {advice}")


def _java_version(java: Path) -> str:
    """Its version, such as `17.0.9`; empty if it cannot be found out."""
    release = java.resolve().parents[1] / "release"  # much faster than starting it
    try:
        if release.is_file():
            said = release.read_text(encoding="utf-8")
        else:
            said = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return ""
    found = re.search(r'(?:JAVA_VERSION=|version )"([^"]+)"', said)
    return found[1] if found else ""


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


def set_local_environment() -> None:
    """Set what the JVM of a local session reads from the environment, before any configuration."""
    # A host name that does not resolve stops the driver.
    os.environ.setdefault("SPARK_LOCAL_HOSTNAME", "localhost")
    # Otherwise each of its many threads keeps native memory of its own.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")


def native_options() -> list[str]:
    """JVM options for a machine whose temporary folder is mounted `noexec`: native libraries are unpacked elsewhere.

    Raises:
        PermanentError: the folder of the jars is mounted so too.
    """
    if not _is_noexec(Path(tempfile.gettempdir())):
        return []
    folder = jars_dir() / "native"
    folder.mkdir(exist_ok=True)
    if _is_noexec(folder):
        raise PermanentError(
            f"{tempfile.gettempdir()} and {folder} are mounted noexec, and Java loads native libraries from there; "
            "set TMPDIR or SPARK_JARS_DIR to a folder that is not"
        )
    return [f"-D{name}={folder}" for name in ("org.sqlite.tmpdir", "ZstdTempFolder", "org.xerial.snappy.tempdir")]


def _is_noexec(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_NOEXEC)


def proxy_options(environment: Mapping[str, str]) -> list[str]:
    """JVM options for the proxies that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name, which Java does not read.

    Raises:
        PermanentError: one is malformed.
    """
    options = []
    for scheme, prefix in (("http", "http.proxy"), ("https", "https.proxy"), ("all", "socksProxy")):
        name = f"{scheme}_proxy"
        value = environment.get(name) or environment.get(name.upper())
        if not value:
            continue
        parts = urlsplit(value if "://" in value else f"http://{value}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host:
            raise PermanentError(f"{name.upper()}: not the address of a proxy; write http://HOST:PORT")
        if parts.scheme.startswith("socks"):
            options += [f"-DsocksProxyHost={host}", f"-DsocksProxyPort={port or 1080}"]
        elif scheme == "all":
            options += [f"-D{key}.proxy{part}" for key in ("http", "https") for part in (f"Host={host}", f"Port={port or 80}")]
        else:
            options += [f"-D{prefix}Host={host}", f"-D{prefix}Port={port or 80}"]
    direct = environment.get("no_proxy") or environment.get("NO_PROXY")
    if options and direct:
        hosts = [host.strip().removeprefix("*").lstrip(".") for host in direct.split(",") if host.strip()]
        options.append(f"-Dhttp.nonProxyHosts={'|'.join(pattern for host in hosts for pattern in (host, f'*.{host}'))}")
    return options


def resolve(coordinates: tuple[str, ...], folder: Path) -> None:
    """Fetch every artifact of `coordinates`, and what they depend on, into `folder`.

    Raises:
        PermanentError: a proxy is malformed.
        TemporaryError: the repository did not answer or lacks an artifact.
    """
    set_local_environment()
    proxies = proxy_options(os.environ)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".ivy-") as ivy:
        builder = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.extraJavaOptions", " ".join(proxies))
            .config("spark.jars.ivy", ivy)
            .config("spark.jars.packages", ",".join(coordinates))
            .config("spark.jars.excludes", ",".join(_EXCLUDED))
        )
        try:
            builder.getOrCreate().stop()
        except PySparkRuntimeError as error:
            raise TemporaryError(
                f"cannot download {', '.join(coordinates)} (see Ivy's output above); "
                f"check the network{' and the proxy' if proxies else ''}, then run again"
            ) from error
        for jar in (Path(ivy) / "jars").glob("*.jar"):
            jar.replace(folder / jar.name)
    if lacking := missing(coordinates, folder):
        raise TemporaryError(f"Ivy did not fetch {', '.join(lacking)}; run again")


def install(*, cluster: bool = False) -> None:
    """Download the jars that are missing and, without `cluster`, make the class archive.

    Raises:
        PermanentError: Java is missing or of a version that Spark does not run on, or a proxy is malformed.
        TemporaryError: the repository did not answer or lacks an artifact.
    """
    require_java()
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
