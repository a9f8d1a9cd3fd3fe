"""What stops a local session, injected: the last line names it, and the exit code says whether waiting helps."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakepulse.outcome import PERMANENT, TEMPORARY, PermanentError
from spark_apps.errors import EngineEndedError, joined
from spark_apps.jars import proxy_options, require_java
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import issue, land
from tests.spark_apps.test_crash import ROOT, metadata_files, step

JAVA = """#!/bin/sh
echo 'openjdk version "{version}" 2021-10-19' >&2
case "$*" in *-version*) exit 0 ;; esac
echo 'Error: UnsupportedClassVersionError' >&2
exit 1
"""


def jdk(folder: Path, version: str) -> dict[str, str]:
    """A Java of that version, which runs nothing."""
    java = folder / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(JAVA.format(version=version), encoding="utf-8")
    java.chmod(0o755)
    return {"JAVA_HOME": str(folder / "jdk")}


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("Java 8", "/bin/java is Java 1.8.0_392; Spark needs Java 17 or 21"),
        ("Java 11", "/bin/java is Java 11.0.13; Spark needs Java 17 or 21"),
        ("Java 25", "/bin/java is Java 25.0.1; Spark needs Java 17 or 21"),
        ("no Java", "has no bin/java; Spark needs Java 17 or 21"),
        ("no jars", "lacks org.apache.iceberg:iceberg-spark-runtime"),
        ("heap", "Could not reserve enough space for"),
        ("size", "SPARK_DRIVER_MEMORY: "),
        ("master", "SPARK_MASTER: "),
    ],
)
def test_what_stops_a_session_is_named(cause: str, words: str, lake: Lake, tmp_path: Path) -> None:
    variables = {
        "Java 8": lambda: jdk(tmp_path, "1.8.0_392"),
        "Java 11": lambda: jdk(tmp_path, "11.0.13"),
        "Java 25": lambda: jdk(tmp_path, "25.0.1"),
        "no Java": lambda: {"JAVA_HOME": str(tmp_path)},
        "no jars": lambda: {"SPARK_JARS_DIR": str(tmp_path)},
        "heap": lambda: {"SPARK_DRIVER_MEMORY": "999999999g"},
        "size": lambda: {"SPARK_DRIVER_MEMORY": "much"},
        "master": lambda: {"SPARK_MASTER": "yarn"},
    }[cause]()
    process = step(lake, **variables)
    _, said = process.communicate(timeout=120)
    last = said.splitlines()[-1]
    assert (process.returncode, "Traceback" in said) == (PERMANENT, False), said
    assert last.startswith("error: ")
    assert words in last


def test_a_java_with_a_release_file_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", jdk(tmp_path, "17.0.1")["JAVA_HOME"])
    require_java()
    (tmp_path / "jdk" / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="25.0.3"\n', encoding="utf-8")
    with pytest.raises(PermanentError, match=r"is Java 25\.0\.3"):
        require_java()


def test_a_jvm_that_is_killed_is_named_and_worth_another_try(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    lake.load()
    land(lake.store, "github_issues", [issue(2)])
    before = metadata_files(lake)
    process = step(lake)
    while metadata_files(lake) == before and process.poll() is None:
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    (jvm,) = [int(child) for child in children if Path(f"/proc/{child}/comm").read_text(encoding="ascii").strip() == "java"]
    os.kill(jvm, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in said) == (TEMPORARY, False), said
    assert "the JVM was killed (SIGKILL), as the system does when memory runs out; run again" in said.splitlines()[-1]
    lake.load()
    assert [row["number"] for row in lake.rows("issues", "number")] == [1, 2]


def test_the_end_of_the_jvm_is_reported_once_and_hides_nothing() -> None:
    ended = [EngineEndedError(f"loading raw.{name}", "the JVM was killed") for name in ("a", "b")]
    assert str(joined(ended)) == "loading raw.a failed: the JVM was killed; run again"
    assert str(joined([PermanentError("audit"), *ended])) == "loading raw.a failed: the JVM was killed; run again | audit"


UNSHARE = (shutil.which("unshare") or "unshare", "--map-root-user", "--mount", "sh", "-c")
NOEXEC = """
mount -t tmpfs -o noexec tmpfs "$1" || exit 99
TMPDIR="$1" exec "$PYTHON" -m spark_apps.load
"""


def test_a_temporary_folder_without_exec_is_done_without(lake: Lake, tmp_path: Path) -> None:
    land(lake.store, "github_issues", [issue(1)])
    (tmp_path / "tmp").mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "SPARK_JARS_DIR") if name in os.environ}
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "images/common"))
    own = {"PYTHONPATH": paths, "PYTHON": sys.executable, "DATA_DIR": str(lake.settings.data_dir), "DEMO": "1"}
    done = subprocess.run(
        [*UNSHARE, NOEXEC, "sh", str(tmp_path / "tmp")], env=kept | own, capture_output=True, text=True, check=False
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("mount namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    assert [row["number"] for row in lake.rows("issues", "number")] == [1]


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, []),
        ({"NO_PROXY": "a"}, []),
        (
            {"HTTPS_PROXY": "http://proxy.corp:3128", "no_proxy": "localhost, .corp"},
            [
                "-Dhttps.proxyHost=proxy.corp",
                "-Dhttps.proxyPort=3128",
                "-Dhttp.nonProxyHosts=localhost|*.localhost|corp|*.corp",
            ],
        ),
        ({"http_proxy": "proxy"}, ["-Dhttp.proxyHost=proxy", "-Dhttp.proxyPort=80"]),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, ["-DsocksProxyHost=127.0.0.1", "-DsocksProxyPort=9"]),
    ],
)
def test_java_gets_the_proxies_of_the_environment(environment: dict[str, str], options: list[str]) -> None:
    assert proxy_options(environment) == options


def test_a_malformed_proxy_is_named() -> None:
    with pytest.raises(PermanentError, match="HTTPS_PROXY: not the address of a proxy"):
        proxy_options({"HTTPS_PROXY": "http://proxy:port"})


def test_the_jars_are_downloaded_through_the_proxy_whatever_this_machine_is_called(tmp_path: Path) -> None:

    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("", "images/common"))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        environment |= {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.getsockname()[1]}", "SPARK_JARS_DIR": str(tmp_path / "jars")}
        command = [sys.executable, "-m", "spark_apps.jars"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
            proxy.settimeout(120)
            connection, _ = proxy.accept()
            with connection:
                assert connection.recv(100).startswith(b"CONNECT repo1.maven.org:443 ")
            process.kill()
