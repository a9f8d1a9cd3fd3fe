"""Renders the declaration for Argo Workflows 4.1, with Hera.

The constants below name the objects that the cluster must have; `k8s/` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hera.workflows import (
    DAG,
    ConfigMapEnvFrom,
    Container,
    CronWorkflow,
    Env,
    FieldEnv,
    Parameter,
    RetryStrategy,
    SecretEnvFrom,
    Task,
    WorkflowTemplate,
)
from hera.workflows import Resources as ContainerResources
from hera.workflows.models import (
    Backoff,
    Capabilities,
    ConfigMapKeySelector,
    ConfigMapVolumeSource,
    ContainerPort,
    EmptyDirVolumeSource,
    IntOrString,
    Mutex,
    PodGC,
    PodSecurityContext,
    SeccompProfile,
    SecurityContext,
    SemaphoreRef,
    Sequence,
    Synchronization,
    TTLStrategy,
    Volume,
    VolumeMount,
    WorkflowTemplateRef,
)
from hera.workflows.models import Parameter as ModelParameter
from hera.workflows.models.io.k8s.apimachinery.pkg.api.resource import Quantity

from k8s.cluster import NAMESPACE
from k8s.images import image_name
from workflows.pipelines import PARAMETERS, PIPELINES, RECORD, Pipeline, Secret, Step

_FOLDER = Path(__file__).resolve().parent
RENDERED = _FOLDER / "rendered"
KUSTOMIZATION = _FOLDER / "kustomization.yaml"

SETTINGS = "lakepulse-settings"
PROJECTS = "lakepulse-projects"
SEMAPHORES = "lakepulse-semaphores"
EXECUTOR_TEMPLATE = "spark-executor-template"
STEP_ACCOUNT = "lakepulse-step"
DRIVER_ACCOUNT = "spark-driver"
EXECUTOR_ACCOUNT = "spark-executor"

_SECRETS: dict[Secret, tuple[str, bool]] = {
    "storage": ("lakepulse-s3", False),
    "catalog": ("lakepulse-catalog", False),
    "github": ("lakepulse-github", True),
    "webhook": ("lakepulse-webhook", True),
}
"""Secret of the declaration -> its name on the cluster, and whether it is optional."""

_TMP = "/tmp"  # noqa: S108 - an emptyDir of the pod, the only place that a step can write to
_PROJECTS_FOLDER = "/etc/lakepulse"
_TEMPLATE_FOLDER = "/etc/spark"
_DRIVER_PORT = 7078
_BLOCK_MANAGER_PORT = 7079
_DRIVER_HEAP = "1500m"  # of the step's memory limit; the rest is Python's and what Java has beside its heap

_HEADER = "# Written by `make render` from workflows/pipelines.py; edit that.\n"
_USER = 10001
_DAY = 24 * 3600

# 75: the step says that trying again may help. 137, 143 and 255: killed from outside, as by a restarted node.
# 128: the container did not start. -1: it never ran, since the pod was evicted, preempted or rejected. Error: the
# pod was deleted, or Argo's own container failed, as on a log upload.
_REPEATED = ("-1", "75", "128", "137", "143", "255")
# What the same step would exceed again: memory, its deadline, the size of its volume.
_EXCEEDED = (
    "OOMKilled|specified deadline|exceeded its deadline|exceeds the limit|exceeds the total limit|ephemeral storage limit"
)
RETRY = (
    f"(lastRetry.status == 'Error' || lastRetry.exitCode in {list(_REPEATED)}) && !(lastRetry.message matches '{_EXCEEDED}')"
)

# Empty means the day on which the run was created, so that a run over midnight has one date.
_AS_OF = (
    "{{=workflow.parameters.as_of != '' ? workflow.parameters.as_of : workflow.creationTimestamp.Y + '-'"
    " + workflow.creationTimestamp.m + '-' + workflow.creationTimestamp.d}}"
)
# Attempts, named `step(0)`, are left out: one that failed may have been followed by one that did not.
_FAILED_STEP = (
    "{{=(filter(fromJSON(fromJSON(workflow.failures)) ?? [], .templateName in %s"
    " && not (.displayName matches '[(][0-9]+[)]$')) | map(.templateName) | first()) ?? ''}}"
)

# Of a pod that `argo stop` ended, and of one that never ran, no report says why.
_ENGINE_MESSAGE = (
    "{{=(filter(fromJSON(fromJSON(workflow.failures)) ?? [], .message != '' && not (.message matches '^child '))"
    " | map(.message) | first()) ?? ''}}"
)


@dataclass(frozen=True, slots=True)
class OwnParameter:
    """A parameter that only a cluster has; `pattern` is what a value must match, `form` says it in words."""

    default: str
    purpose: str
    pattern: str
    form: str


_NUMBER = (r"[1-9]\d{0,2}", "a number from 1 to 999")

OWN_PARAMETERS: dict[str, OwnParameter] = {
    "projects": OwnParameter(
        PROJECTS,
        "ConfigMap with the project list, key projects.yaml",
        r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?",
        "a ConfigMap's name",
    ),
    "shards": OwnParameter(
        "1",
        "pods for each group of sources; each has GitHub tokens of its own, those beyond their number get no repository",
        *_NUMBER,
    ),
    "executors": OwnParameter("1", "Spark executors", *_NUMBER),
    "executor_cores": OwnParameter("1", "cores of a Spark executor", *_NUMBER),
    "executor_memory": OwnParameter(
        "1g", "heap of a Spark executor, as Java writes it", r"[1-9]\d*[mg]", "a size such as 1500m or 2g"
    ),
    "executor_cpu_request": OwnParameter(
        "100m", "CPU request of a Spark executor, as Kubernetes writes it", r"[1-9]\d*m|\d+(\.\d+)?", "such as 500m or 1.5"
    ),
}
_USED_BY = {"lookback": "fetch", "sweep": "fetch", "shards": "fetch", "allow_shrink": "load"}
"""Parameter -> the step that uses it; pipelines without that step do not have the parameter."""


def object_name(pipeline: Pipeline) -> str:
    """The pipeline's name in the form that Kubernetes accepts."""
    return pipeline.name.replace("_", "-")


def workflow_template(pipeline: Pipeline) -> WorkflowTemplate:
    """The pipeline as a WorkflowTemplate of the same name."""
    with WorkflowTemplate(
        name=object_name(pipeline),
        namespace=NAMESPACE,
        labels={"app.kubernetes.io/part-of": "lakepulse"},
        annotations={"workflows.argoproj.io/description": pipeline.purpose},
        entrypoint="main",
        on_exit=RECORD.name,
        arguments=_parameters(pipeline),
        active_deadline_seconds=pipeline.deadline,
        service_account_name=STEP_ACCOUNT,
        security_context=PodSecurityContext(
            run_as_non_root=True,
            run_as_user=_USER,
            run_as_group=_USER,
            fs_group=_USER,
            seccomp_profile=SeccompProfile(type="RuntimeDefault"),
        ),
        pod_gc=PodGC(strategy="OnPodSuccess", delete_delay_duration="600s"),
        ttl_strategy=TTLStrategy(seconds_after_success=3 * _DAY, seconds_after_failure=14 * _DAY),
    ) as template:
        for step in (*pipeline.steps, RECORD):
            _container(step, pipeline)
        groups = _groups(pipeline)
        for group in groups:
            _nested(group)
        with DAG(name="main"):
            tasks: dict[str, list[Task]] = {}
            for group in groups:
                members = {step.name for step in group}
                ended = [task for step in group for name in step.after if name not in members for task in tasks[name]]
                own = [_task(name, ended) for name in _entries(group)]
                tasks |= dict.fromkeys(members, own)
    return template


def _parameters(pipeline: Pipeline) -> list[ModelParameter]:
    steps = {step.name for step in pipeline.steps}
    declared: dict[str, tuple[str, str]] = {name: (each.default, each.purpose) for name, each in PARAMETERS.items()}
    declared |= {name: (each.default, each.purpose) for name, each in OWN_PARAMETERS.items()}
    return [
        ModelParameter(name=name, value=pipeline.defaults.get(name, default), description=purpose)
        for name, (default, purpose) in declared.items()
        if name not in _USED_BY or _USED_BY[name] in steps
    ]


def _groups(pipeline: Pipeline) -> list[list[Step]]:
    """The steps in order; those that hold a mutex together form one group."""
    groups: list[list[Step]] = []
    for step in pipeline.order:
        if groups and set(groups[-1][-1].mutexes) & set(step.mutexes):
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _entries(group: list[Step]) -> list[str]:
    """The templates that run a group, side by side."""
    first = group[0]
    if first.parts:
        return [f"{first.name}-{part.name}" for part in first.parts]
    return ["-".join(step.name for step in group)]


def _nested(group: list[Step]) -> None:
    """The DAGs that a group needs besides its steps' own templates."""
    first = group[0]
    for part in first.parts:
        with DAG(name=f"{first.name}-{part.name}", synchronization=_mutexes(part.mutexes)):
            Task(
                name="shard",
                template=first.name,
                arguments={"sources": ",".join(part.sources), "shard": "{{item}}/{{workflow.parameters.shards}}"},
                with_sequence=Sequence(count=IntOrString(root="{{workflow.parameters.shards}}")),
            )
    if len(group) > 1:
        held = tuple(dict.fromkeys(mutex for step in group for mutex in step.mutexes))
        with DAG(name=_entries(group)[0], synchronization=_mutexes(held)):
            tasks: dict[str, Task] = {}
            for step in group:
                tasks[step.name] = _task(step.name, [tasks[name] for name in step.after if name in tasks])


def _task(name: str, after: list[Task]) -> Task:
    return Task(name=name, template=name, depends=" && ".join(str(task.name) for task in after) or None)


def _mutexes(names: tuple[str, ...]) -> Synchronization:
    return Synchronization(mutexes=[Mutex(name=name) for name in names])


def _container(step: Step, pipeline: Pipeline) -> None:
    """The step's own template: one container on its image."""
    held_alone = step == RECORD or any(group == [step] for group in _groups(pipeline))
    volumes, mounts = _volumes(step)
    inputs = [Parameter(name="sources"), Parameter(name="shard")] if step.parts else []
    Container(
        name=step.name,
        inputs=inputs,
        labels={
            "app.kubernetes.io/part-of": "lakepulse",
            "app.kubernetes.io/name": f"lakepulse-{step.image}",
            "app.kubernetes.io/component": step.name,
            "lakepulse/run": "{{workflow.name}}",
        },
        image=image_name(step.image),
        image_pull_policy="IfNotPresent",
        command=list(step.command[:4]),
        args=["--sources", "{{inputs.parameters.sources}}"] if step.parts else list(step.command[4:]),
        env_from=[
            ConfigMapEnvFrom(name=SETTINGS),
            *(SecretEnvFrom(name=_SECRETS[secret][0], optional=_SECRETS[secret][1] or None) for secret in step.secrets),
        ],
        env=list(_environment(step, pipeline)),
        ports=_ports(step),
        resources=ContainerResources(
            cpu_request=step.resources.cpu,
            cpu_limit=step.resources.cpu_limit,
            memory_request=step.resources.memory,
            memory_limit=step.resources.memory_limit,
        ),
        security_context=SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=Capabilities(drop=["ALL"]),
        ),
        volumes=volumes,
        volume_mounts=mounts,
        service_account_name=DRIVER_ACCOUNT if step.has_executors else None,
        active_deadline_seconds=step.deadline,
        retry_strategy=RetryStrategy(
            limit=str(step.retries),
            retry_policy="Always",
            expression=RETRY,
            backoff=Backoff(duration="30s", factor=IntOrString(root=2), cap="10m"),
        ),
        synchronization=_synchronization(step, held_alone),
    )


def _synchronization(step: Step, held_alone: bool) -> Synchronization | None:
    if step.parts:
        # The mutexes are held around the shards, whose number at a time this limits.
        return Synchronization(
            semaphores=[SemaphoreRef(config_map_key_ref=ConfigMapKeySelector(name=SEMAPHORES, key=step.name))]
        )
    return _mutexes(step.mutexes) if held_alone else None


def _environment(step: Step, pipeline: Pipeline) -> Iterator[Env | FieldEnv]:
    yield Env(name="RUN_ID", value="{{workflow.name}}")
    yield Env(name="PIPELINE", value=pipeline.name)
    yield Env(name="AS_OF", value=_AS_OF)
    yield Env(name="PROJECTS", value=f"{_PROJECTS_FOLDER}/projects.yaml")
    yield Env(name="DATA_DIR", value=f"{_TMP}/lakepulse")
    if step.parts:
        yield Env(name="SHARD", value="{{inputs.parameters.shard}}")
    for name, parameter in PARAMETERS.items():
        if _USED_BY.get(name) == step.name:
            yield Env(name=parameter.variable, value=f"{{{{workflow.parameters.{name}}}}}")
    if step.has_executors:
        yield Env(name="SPARK_MASTER", value="k8s://https://kubernetes.default.svc")
        yield FieldEnv(name="SPARK_NAMESPACE", field_path="metadata.namespace")
        yield Env(name="SPARK_IMAGE", value=image_name(step.image))
        yield Env(name="SPARK_SERVICE_ACCOUNT", value=EXECUTOR_ACCOUNT)
        yield Env(name="SPARK_POD_TEMPLATE", value=f"{_TEMPLATE_FOLDER}/pod.yaml")
        yield Env(name="SPARK_DRIVER_MEMORY", value=_DRIVER_HEAP)
        for name in ("executors", "executor_cores", "executor_memory", "executor_cpu_request"):
            yield Env(name=f"SPARK_{name.upper()}", value=f"{{{{workflow.parameters.{name}}}}}")
        yield FieldEnv(name="SPARK_DRIVER_HOST", field_path="status.podIP")
        yield FieldEnv(name="SPARK_DRIVER_POD", field_path="metadata.name")
        yield Env(name="SPARK_DRIVER_PORT", value=str(_DRIVER_PORT))
        yield Env(name="SPARK_BLOCK_MANAGER_PORT", value=str(_BLOCK_MANAGER_PORT))
        yield Env(name="SPARK_RUN_LABEL", value="{{workflow.name}}")
        yield Env(name="SPARK_LOCAL_DIRS", value=f"{_TMP}/spark")
    if step == RECORD:
        yield Env(name="OUTCOME", value="{{workflow.status}}")
        yield Env(name="FAILED_STEP", value=_FAILED_STEP % [other.name for other in pipeline.steps])
        yield Env(name="ENGINE_MESSAGE", value=_ENGINE_MESSAGE)


def _ports(step: Step) -> list[ContainerPort] | None:
    if not step.has_executors:
        return None
    return [
        ContainerPort(name="driver", container_port=_DRIVER_PORT),
        ContainerPort(name="blockmanager", container_port=_BLOCK_MANAGER_PORT),
    ]


def _volumes(step: Step) -> tuple[list[Volume], list[VolumeMount]]:
    size = Quantity(root="10Gi" if step.has_executors else "1Gi")
    volumes = [
        Volume(name="tmp", empty_dir=EmptyDirVolumeSource(size_limit=size)),
        Volume(name="projects", config_map=ConfigMapVolumeSource(name="{{workflow.parameters.projects}}")),
    ]
    mounts = [
        VolumeMount(name="tmp", mount_path=_TMP),
        VolumeMount(name="projects", mount_path=_PROJECTS_FOLDER, read_only=True),
    ]
    if step.has_executors:
        volumes.append(Volume(name="executor-template", config_map=ConfigMapVolumeSource(name=EXECUTOR_TEMPLATE)))
        mounts.append(VolumeMount(name="executor-template", mount_path=_TEMPLATE_FOLDER, read_only=True))
    return volumes, mounts


def cron_workflow(pipeline: Pipeline) -> CronWorkflow:
    """The pipeline's schedule.

    Raises:
        ValueError: it has none.
    """
    if pipeline.schedule is None:
        raise ValueError(f"{pipeline.name} has no schedule")
    return CronWorkflow(
        name=object_name(pipeline),
        namespace=NAMESPACE,
        labels={"app.kubernetes.io/part-of": "lakepulse"},
        schedules=[pipeline.schedule],
        timezone="Etc/UTC",
        concurrency_policy="Forbid",
        # A laptop that was asleep, or a controller that was down, catches up.
        starting_deadline_seconds=_DAY // 2,
        successful_jobs_history_limit=3,
        failed_jobs_history_limit=5,
        workflow_template_ref=WorkflowTemplateRef(name=object_name(pipeline)),
    )


def rendered() -> dict[Path, str]:
    """Every file that `lakepulse render` writes, and its text."""
    files: dict[Path, str] = {}
    for pipeline in PIPELINES.values():
        documents: list[WorkflowTemplate | CronWorkflow] = [workflow_template(pipeline)]
        if pipeline.schedule is not None:
            documents.append(cron_workflow(pipeline))
        files[RENDERED / f"{object_name(pipeline)}.yaml"] = _HEADER + "---\n".join(
            _dump(document.to_dict()) for document in documents
        )
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [path.relative_to(_FOLDER).as_posix() for path in files],
        "configMapGenerator": [{"name": PROJECTS, "files": ["projects.yaml"]}],
        # Templates name the ConfigMap by a parameter, which kustomize does not rewrite.
        "generatorOptions": {"disableNameSuffixHash": True},
    }
    return files | {KUSTOMIZATION: _HEADER + _dump(kustomization)}


def commands(pipeline: Pipeline, shards: int = 1) -> Iterator[tuple[Step, list[str], dict[str, str]]]:
    """What the pods of a successful run execute, in order: step, container command, its own variables.

    Taken from the rendered template, with the parameters' defaults filled in, without variables
    that only a cluster can set (paths, addresses, secrets).
    """
    templates = {template["name"]: template for template in workflow_template(pipeline).to_dict()["spec"]["templates"]}
    for step in (*pipeline.order, RECORD):
        container = templates[step.name]["container"]
        words = [*container["command"], *container["args"]]
        fixed = {"PIPELINE": pipeline.name} | ({"OUTCOME": "Succeeded"} if step == RECORD else {})
        if not step.parts:
            yield step, words, fixed
            continue
        swept = {PARAMETERS[name].variable: value for name, value in pipeline.defaults.items()}
        for part in step.parts:
            for shard in range(shards):
                chosen = [word.replace("{{inputs.parameters.sources}}", ",".join(part.sources)) for word in words]
                yield step, chosen, fixed | swept | {"SHARD": f"{shard}/{shards}"}


def stale() -> list[Path]:
    """Manifests of pipelines that are gone, which `write` removes."""
    files = rendered()
    return sorted(path for path in RENDERED.glob("*.yaml") if path not in files)


def write() -> list[Path]:
    """Write the rendered files and remove those of deleted pipelines; the files that changed."""
    files, removed = rendered(), stale()
    RENDERED.mkdir(exist_ok=True)
    for path in removed:
        path.unlink()
    changed = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(files[path], encoding="utf-8")
    return removed + changed


class _Dumper(yaml.SafeDumper):
    """Indents lists, as yamllint's default wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _dump(document: Any) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=130, allow_unicode=True)
