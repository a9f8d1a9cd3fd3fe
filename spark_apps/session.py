"""The Spark session: the only module of this stage that knows on which engine it runs.

Without `SPARK_MASTER` Spark runs inside this process. With `SPARK_MASTER=k8s://...` this process
is the driver, in its own pod, and requests its executors as pods (client mode).
"""

from __future__ import annotations

import logging
import math
import re
import secrets
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pyspark.errors import PySparkRuntimeError
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from lakepulse.catalog import spark_properties
from lakepulse.names import CATALOG
from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line
from lakepulse.settings import Settings
from spark_apps.errors import engine_error
from spark_apps.jars import (
    archive_options,
    jars_dir,
    java_path,
    native_options,
    require_jars,
    require_java,
    set_local_environment,
)

_LOG_CONFIGURATION = Path(__file__).with_name("log4j2.properties")


class SparkSettings(BaseSettings):
    """How Spark runs, from variables `SPARK_...`; a memory size is Java's, such as `2g`."""

    model_config = SettingsConfigDict(env_prefix="SPARK_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    master: str = Field("local[2]", description="local[N] or k8s://https://host:port")
    driver_memory: str = Field("1200m", pattern=r"^\d+[mg]$", description="Java's heap; the step takes more in all")
    driver_java_options: str = Field(
        # A local session is short: the second compiler would cost more than it saves. The first alone has 48 MB
        # for its code by default, and stops for good once they are full.
        "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
        description="JVM options of a local session",
    )
    # --- Kubernetes only
    namespace: str = "lakepulse"
    image: str | None = Field(None, description="executors' image, usually the driver's own")
    service_account: str = Field("spark-executor", description="executors' service account")
    executors: int = Field(1, ge=1, le=1000)
    executor_cores: int = Field(1, ge=1)
    executor_memory: str = Field("1g", pattern=r"^\d+[mg]$")
    executor_memory_overhead: str = Field("384m", pattern=r"^\d+[mg]$")
    executor_cpu_request: str = Field("500m", pattern=r"^(\d+m|\d+(\.\d+)?)$", description="as Kubernetes writes it")
    pod_template: Path | None = Field(None, description="executors' pod template")
    driver_host: str | None = Field(None, description="the driver pod's address, for its executors")
    driver_pod: str | None = Field(None, description="the driver pod's name; its executors die with it")
    driver_port: int = 7078
    block_manager_port: int = 7079
    executor_wait_seconds: float = Field(120, gt=0, description="how long a driver waits for its first executor")
    run_label: str | None = Field(None, description="put on executors as the label lakepulse/run")

    @field_validator("master")
    @classmethod
    def _known_master(cls, value: str) -> str:
        if not re.fullmatch(r"local(\[(\d+|\*)\])?|k8s://\S+", value):
            raise ValueError("must be local[N] or k8s://https://host:port")
        return value

    @property
    def is_kubernetes(self) -> bool:
        return self.master.startswith("k8s://")


def spark_settings() -> SparkSettings:
    """The variables `SPARK_...`.

    Raises:
        PermanentError: one is malformed; the message names it.
    """
    try:
        return SparkSettings()
    except ValidationError as error:
        problems = (f"SPARK_{'_'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in error.errors())
        raise PermanentError("; ".join(problems)) from None


def configuration(settings: Settings, spark: SparkSettings) -> dict[str, str]:
    """The Spark configuration of a session: what both engines share, and the engine's own."""
    common = {
        "spark.app.name": f"lakepulse-{settings.run_id}",
        "spark.master": spark.master,
        "spark.driver.memory": spark.driver_memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        # What is cached is unique text: trying to encode each column costs more than it saves.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        "spark.rdd.compress": "true",
        # Pages are small gzip files: one task takes many.
        "spark.sql.files.openCostInBytes": str(128 * 1024),
        "spark.sql.files.maxPartitionBytes": str(16 * 1024 * 1024),
    }
    return common | (_kubernetes(spark) if spark.is_kubernetes else _local(spark))


def _local(spark: SparkSettings) -> dict[str, str]:
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # On the class path from the start: faster than spark.jars, which copies each file in every session.
        "spark.driver.extraClassPath": f"{jars_dir()}/*",
        "spark.driver.extraJavaOptions": _local_options(spark),
        "spark.sql.shuffle.partitions": "2",
        # A Spark job costs more than listing a local disk, however many pages there are.
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000000",
    }


def _local_options(spark: SparkSettings) -> str:
    return _java_options(spark.driver_java_options, *archive_options(), *native_options())


def _java_options(*more: str) -> str:
    return " ".join((f"-Dlog4j2.configurationFile={_LOG_CONFIGURATION.as_uri()}", "-Duser.timezone=UTC", *more))


def _kubernetes(spark: SparkSettings) -> dict[str, str]:
    if not spark.image:
        raise PermanentError("SPARK_IMAGE is not set; executors on Kubernetes need an image")
    properties = {
        "spark.submit.deployMode": "client",
        "spark.driver.host": spark.driver_host or socket.gethostbyname(socket.gethostname()),
        "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104 - executors reach the driver by its pod's address
        "spark.driver.port": str(spark.driver_port),
        "spark.driver.blockManager.port": str(spark.block_manager_port),
        "spark.blockManager.port": str(spark.block_manager_port),
        "spark.driver.extraClassPath": f"{jars_dir()}/*",
        "spark.executor.extraClassPath": f"{jars_dir()}/*",
        "spark.driver.extraJavaOptions": _java_options(),
        "spark.executor.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.executor.instances": str(spark.executors),
        "spark.executor.cores": str(spark.executor_cores),
        "spark.executor.memory": spark.executor_memory,
        "spark.executor.memoryOverhead": spark.executor_memory_overhead,
        "spark.kubernetes.executor.request.cores": spark.executor_cpu_request,
        # Java's own threads work beside those of the tasks.
        "spark.kubernetes.executor.limit.cores": str(max(spark.executor_cores + 1, _cores(spark.executor_cpu_request))),
        "spark.kubernetes.namespace": spark.namespace,
        "spark.kubernetes.container.image": spark.image,
        "spark.kubernetes.container.image.pullPolicy": "IfNotPresent",
        "spark.kubernetes.authenticate.executor.serviceAccountName": spark.service_account,
        # Two drivers that start at once must not compete for the same pod names.
        "spark.kubernetes.executor.podNamePrefix": f"spark-{secrets.token_hex(5)}",
        "spark.kubernetes.executor.deleteOnTermination": "true",
        # None of these is used here; without them the driver needs rights to pods alone.
        "spark.kubernetes.executor.disableConfigMap": "true",
        "spark.kubernetes.driver.service.deleteOnTermination": "false",
        "spark.kubernetes.driver.ownPersistentVolumeClaim": "false",
        "spark.sql.shuffle.partitions": str(2 * spark.executors * spark.executor_cores),
        # `open_session` waits for the first executor; tasks need not wait for all.
        "spark.scheduler.minRegisteredResourcesRatio": "0",
    }
    if spark.driver_pod:
        properties["spark.kubernetes.driver.pod.name"] = spark.driver_pod
    if spark.pod_template:
        properties["spark.kubernetes.executor.podTemplateFile"] = str(spark.pod_template)
    if spark.run_label:
        properties["spark.kubernetes.executor.label.lakepulse/run"] = spark.run_label
    return properties


def _cores(quantity: str) -> int:
    """Whole cores that hold a CPU quantity such as `500m` or `1.5`."""
    return math.ceil(float(quantity.removesuffix("m")) / (1000 if quantity.endswith("m") else 1))


def _s3a(settings: Settings) -> dict[str, str]:
    secret = settings.aws_secret_access_key
    known = {
        "endpoint": settings.s3_endpoint,
        "endpoint.region": settings.aws_region,
        "path.style.access": "true" if settings.s3_endpoint else None,
        "connection.ssl.enabled": "false" if (settings.s3_endpoint or "").startswith("http:") else None,
        "access.key": settings.aws_access_key_id,
        "secret.key": secret.get_secret_value() if secret else None,
    }
    return {f"fs.s3a.{key}": value for key, value in known.items() if value}


def bound_session(session: SparkSession, settings: Settings) -> SparkSession:
    """A further session on the same engine, bound to the catalog of `settings`.

    Each has its own temporary views and snapshot properties, so threads do not mix theirs. The
    catalog is set here, not at start, since start options show on the JVM's command line.
    """
    bound = session.newSession()
    prefix = f"spark.sql.catalog.{CATALOG}"
    properties = spark_properties(settings) | {
        # A lock's next holder must see what the last one wrote.
        f"{prefix}.cache-enabled": "false",
        f"{prefix}.jdbc.busy_timeout": "60000",
    }
    if settings.lake.startswith("s3"):
        properties |= _s3a(settings)
    for key, value in properties.items():
        bound.conf.set(key, value)
    return bound


@contextmanager
def open_session(settings: Settings) -> Iterator[SparkSession]:
    """An engine that ends with the block; `bound_session` opens sessions on it.

    Raises:
        PermanentError: Java or a jar is missing, Java is of a version that Spark does not run on or refuses its options,
            or a setting is malformed.
        TemporaryError: Spark did not start, or no executor did in time.
    """
    spark = spark_settings()
    require_java()
    require_jars(jars_dir())
    if not spark.is_kubernetes:
        set_local_environment()
    # It would print the plan of each failed query beside our one line.
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    # And py4j a traceback for each call of a JVM that has ended.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    builder = SparkSession.builder
    for key, value in configuration(settings, spark).items():
        builder = builder.config(key, value)
    with engine_error("starting Spark"):
        try:
            session = builder.getOrCreate()
        except PySparkRuntimeError as error:
            raise _not_started(spark) from error
    try:
        if spark.is_kubernetes:
            _await_executor(session, spark)
        yield session
    finally:
        # Without its JVM nothing is left to stop, and why it ended is what the block raises.
        with suppress(Py4JError, OSError):
            session.stop()


def _not_started(spark: SparkSettings) -> StepError:
    """Why the JVM ended before Python could reach it: what Java says of the same options."""
    options = [f"-Xmx{spark.driver_memory}", *shlex.split(_local_options(spark))]
    tried = subprocess.run([str(java_path()), *options, "-version"], capture_output=True, text=True, check=False)
    if tried.returncode:
        said = one_line(tried.stderr + tried.stdout)[:500]
        return PermanentError(f"Spark did not start: {said}; correct SPARK_DRIVER_MEMORY or SPARK_DRIVER_JAVA_OPTIONS")
    return TemporaryError("Spark did not start: the JVM ended at once, see its output above; run again")


def _await_executor(session: SparkSession, spark: SparkSettings) -> None:
    """Wait for the first executor; Spark itself would wait forever.

    Raises:
        TemporaryError: none started; the message has what Kubernetes reports of their pods.
    """
    scheduler = session.sparkContext._jsc.sc()  # noqa: SLF001 - executors are listed on the Java side alone
    deadline = time.monotonic() + spark.executor_wait_seconds
    while scheduler.getExecutorMemoryStatus().size() < 2:  # the driver counts as one
        if time.monotonic() >= deadline:
            raise TemporaryError(
                f"no executor started in {spark.executor_wait_seconds:g} s in namespace {spark.namespace} "
                f"(image {spark.image}, {spark.executor_cpu_request} CPU, {spark.executor_memory} and "
                f"{spark.executor_memory_overhead} memory): {_why_none(session, spark)}; fix that, then run again"
            )
        time.sleep(0.5)


def _why_none(session: SparkSession, spark: SparkSettings) -> str:
    """Why the executors' pods are not ready, in Kubernetes' own words."""
    # The driver's own client, with its account.
    fabric8 = session.sparkContext._jvm.io.fabric8.kubernetes.client  # type: ignore[union-attr]  # noqa: SLF001
    prefix = str(session.conf.get("spark.kubernetes.executor.podNamePrefix"))
    try:
        options = fabric8.ConfigBuilder().withMasterUrl(spark.master.removeprefix("k8s://")).build()
        client = fabric8.KubernetesClientBuilder().withConfig(options).build()
        try:
            listed = client.pods().inNamespace(spark.namespace).withLabel("spark-role", "executor").list().getItems()
            found = [pod.getStatus() for pod in listed if pod.getMetadata().getName().startswith(prefix)]
        finally:
            client.close()
    except Py4JJavaError as error:
        return f"their pods cannot be listed ({one_line(error.java_exception.getMessage())})"
    if not found:
        return "they have no pods; a quota or a policy may refuse them, see the log above"
    return "; ".join(sorted({_unmet(status) for status in found}))


def _unmet(status: Any) -> str:
    """A pod's phase, and the conditions and containers that keep it from being ready."""
    reported = [(each.getReason(), each.getMessage()) for each in status.getConditions() if each.getStatus() == "False"]
    for container in status.getContainerStatuses():
        state = container.getState()
        reported += [(each.getReason(), each.getMessage()) for each in (state.getWaiting(), state.getTerminated()) if each]
    words = [": ".join(filter(None, pair)) for pair in reported if any(pair)]
    return f"pod {status.getPhase()}" + (f" ({one_line('; '.join(words))})" if words else "")
