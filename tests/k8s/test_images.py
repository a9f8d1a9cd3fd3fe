"""The Spark image's entrypoint, without a Docker engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENTRYPOINT = ROOT / "images" / "spark" / "entrypoint.py"

EXECUTOR = {
    "SPARK_HOME": "/opt/spark",
    "SPARK_CONF_DIR": "/opt/spark/conf",
    "SPARK_CLASSPATH": "/opt/jars/*",
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@10.0.0.1:7078",
    "SPARK_EXECUTOR_ID": "3",
    "SPARK_EXECUTOR_CORES": "2",
    "SPARK_EXECUTOR_MEMORY": "1g",
    "SPARK_APPLICATION_ID": "spark-1",
    "SPARK_EXECUTOR_POD_IP": "10.0.0.2",
    "SPARK_EXECUTOR_POD_NAME": "spark-exec-3",
    "SPARK_RESOURCE_PROFILE_ID": "0",
} | {f"SPARK_JAVA_OPT_{number}": f"-Doption={number}" for number in range(12)}


def start(*arguments: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the entrypoint with a `java` that prints its arguments."""
    java = path / "java"
    java.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    java.chmod(0o755)
    command = [sys.executable, str(ENTRYPOINT), *arguments]
    return subprocess.run(
        command, env=environment | {"PATH": f"{path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )


def test_the_argument_executor_starts_sparks_backend(tmp_path: Path) -> None:
    done = start("executor", path=tmp_path, **EXECUTOR)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert words[:12] == [f"-Doption={number}" for number in range(12)], "in the order of their numbers, not of their text"
    assert words[12:14] == ["-Xms1g", "-Xmx1g"]
    assert words[words.index("-cp") + 1] == "/opt/jars/*:/opt/spark/conf:/opt/spark/jars/*"
    backend = words.index("org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend")
    assert dict(zip(words[backend + 1 :: 2], words[backend + 2 :: 2], strict=True)) == {
        "--driver-url": "spark://CoarseGrainedScheduler@10.0.0.1:7078",
        "--executor-id": "3",
        "--cores": "2",
        "--app-id": "spark-1",
        "--hostname": "10.0.0.2",
        "--resourceProfileId": "0",
        "--podName": "spark-exec-3",
    }


def test_a_variable_that_spark_did_not_set_is_named(tmp_path: Path) -> None:
    done = start("executor", path=tmp_path, **{name: value for name, value in EXECUTOR.items() if name != "SPARK_DRIVER_URL"})
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: SPARK_DRIVER_URL is not set; only Spark starts executors"]


def test_other_arguments_are_a_command_whose_exit_code_counts(tmp_path: Path) -> None:
    done = start("sh", "-c", "echo done; exit 75", path=tmp_path)
    assert (done.returncode, done.stdout) == (75, "done\n")
