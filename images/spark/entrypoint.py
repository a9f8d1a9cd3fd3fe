"""Container entrypoint of the Spark image.

Spark on Kubernetes starts an executor pod with the argument `executor` and everything else in
`SPARK_*` variables; the pyspark package has no program that takes these. Any other arguments are
run as a command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_BACKEND = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
_JAVA_OPTION = "SPARK_JAVA_OPT_"


def executor_command(environment: Mapping[str, str]) -> list[str]:
    """The Java command line of an executor.

    Raises:
        KeyError: a variable that Spark sets on every executor pod is missing.
    """
    numbered = sorted(
        (int(name.removeprefix(_JAVA_OPTION)), value) for name, value in environment.items() if name.startswith(_JAVA_OPTION)
    )
    classpath = [environment.get("SPARK_CONF_DIR", ""), str(Path(environment["SPARK_HOME"], "jars", "*"))]
    memory = environment["SPARK_EXECUTOR_MEMORY"]
    return [
        "java",
        *(option for _, option in numbered),
        f"-Xms{memory}",
        f"-Xmx{memory}",
        "-cp",
        os.pathsep.join(part for part in (environment.get("SPARK_CLASSPATH", ""), *classpath) if part),
        _BACKEND,
        *("--driver-url", environment["SPARK_DRIVER_URL"]),
        *("--executor-id", environment["SPARK_EXECUTOR_ID"]),
        *("--cores", environment["SPARK_EXECUTOR_CORES"]),
        *("--app-id", environment["SPARK_APPLICATION_ID"]),
        *("--hostname", environment["SPARK_EXECUTOR_POD_IP"]),
        *("--resourceProfileId", environment["SPARK_RESOURCE_PROFILE_ID"]),
        *("--podName", environment["SPARK_EXECUTOR_POD_NAME"]),
    ]


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Become the executor or the command, so that signals reach it."""
    if not arguments:
        sys.exit("error: name a command, or `executor` as Spark does")
    if arguments == ["executor"]:
        try:
            arguments = executor_command(environment)
        except KeyError as error:
            sys.exit(f"error: {error.args[0]} is not set; only Spark starts executors")
    os.execvp(arguments[0], arguments)  # noqa: S606 - the container's own command, no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
