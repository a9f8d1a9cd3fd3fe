"""`submit` and `status` as processes: against nothing, and against a server that answers as a cluster would.

What a real cluster and a real Argo make of them is for tests/cluster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
NAMESPACED = "/apis/argoproj.io/v1alpha1/namespaces/lakepulse"

# Notes down how it was called, and answers a submit with the new workflow's name.
ARGO = """#!/bin/sh
echo "$@" >> "${0%/*}/calls"
if [ "$1" = submit ]; then echo daily-abcde; fi
"""


def ago(**span: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**span):%Y-%m-%dT%H:%M:%SZ}"


def workflow(name: str, phase: str, nodes: list[dict[str, Any]] | None = None, **started: float) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": ago(**started)},
        "spec": {"workflowTemplateRef": {"name": name.rpartition("-")[0]}},
        "status": {
            "phase": phase,
            "startedAt": ago(**started),
            "finishedAt": None if phase == "Running" else ago(seconds=1),
            "nodes": {node["id"]: node for node in nodes or ()},
        },
    }


FAILED = workflow(
    "daily-abcde",
    "Failed",
    [
        {"id": "daily-abcde", "type": "DAG", "templateName": "main", "phase": "Failed", "message": "child failed"},
        {
            "id": "daily-abcde-111",
            "type": "Pod",
            "templateName": "fetch",
            "phase": "Failed",
            "message": "main: Error (exit code 1)",
            "finishedAt": ago(minutes=9),
        },
        {
            "id": "daily-abcde-222",
            "type": "Pod",
            "templateName": "record",
            "phase": "Failed",
            "message": "main: Error (exit code 75)",
            "finishedAt": ago(minutes=8),
        },
    ],
    minutes=10,
)
LOG = "fetching\nerror: no repository nobody/nothing; correct the project list\nError: exit status 1\n"


@dataclass
class Api:
    """An API server's answers by path; anything else is 404, as it is there."""

    answers: dict[str, Any] = field(default_factory=dict)
    port: int = 0

    @contextmanager
    def serving(self) -> Iterator[Api]:
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers.get(self.path.partition("?")[0])
                body = answer if isinstance(answer, str) else json.dumps(answer or {"reason": "NotFound"})
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield self
            server.shutdown()


@pytest.fixture
def api() -> Iterator[Api]:
    answers = {
        f"{NAMESPACED}/workflowtemplates/daily": {"metadata": {"name": "daily"}},
        f"{NAMESPACED}/workflows": {"items": []},
        f"{NAMESPACED}/cronworkflows": {"items": []},
        "/api/v1/namespaces/lakepulse/pods": {"kind": "PodList", "apiVersion": "v1", "items": []},
    }
    with Api(answers).serving() as serving:
        yield serving


@dataclass
class Shell:
    """Runs the commands with a kubeconfig and tools of its own."""

    folder: Path

    def kubeconfig(self, port: int) -> None:
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "kind-test", "context": {"cluster": "test", "user": "test"}}],
        }
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(document))

    def tool(self, name: str, text: str) -> None:
        program = self.folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "bin" / "calls").read_text().splitlines()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.folder / "bin"),
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "CLUSTER_NAME": "test",
            "COLUMNS": "200",
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / part) for part in (".", "images/common")),
        }
        return subprocess.run(
            [sys.executable, "-m", "workflows", *arguments], env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def only_line(ended: subprocess.CompletedProcess[str], code: int) -> str:
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


@pytest.mark.parametrize(("command", "tool"), [(["submit", "daily"], "argo"), (["status"], "kubectl")])
def test_missing_tool_is_named_with_where_to_get_it(shell: Shell, command: list[str], tool: str) -> None:
    line = only_line(shell.run(*command), 1)
    assert line.startswith(f"error: {tool} is not installed; get it from https://")


@pytest.mark.parametrize("command", [["submit", "daily"], ["status"]])
def test_missing_cluster_says_how_to_get_one(shell: Shell, command: list[str]) -> None:
    shell.tool("argo", ARGO)
    shell.tool("kubectl", "#!/bin/sh\nexit 1\n")
    line = only_line(shell.run(*command), 1)
    assert "kind-test" in line
    assert "make cluster" in line


def test_cluster_that_does_not_answer_may_be_tried_again(shell: Shell) -> None:
    shell.tool("argo", ARGO)
    with Api().serving() as gone:
        shell.kubeconfig(gone.port)
    line = only_line(shell.run("submit", "daily"), 75)
    assert "does not answer" in line


def test_cluster_without_the_templates_says_how_to_get_them(shell: Shell, api: Api) -> None:
    shell.tool("argo", ARGO)
    shell.kubeconfig(api.port)
    assert "make cluster" in only_line(shell.run("submit", "commits"), 1)


def test_unknown_parameter_is_refused_before_anything_is_submitted(shell: Shell, api: Api) -> None:
    shell.tool("argo", ARGO)
    shell.kubeconfig(api.port)
    line = only_line(shell.run("submit", "daily", "asof=2026-01-31"), 1)
    assert "asof=2026-01-31" in line
    assert "as_of" in line
    assert not (shell.folder / "bin" / "calls").exists()


def test_submit_passes_parameters_and_succeeds_with_the_workflow(shell: Shell, api: Api) -> None:
    shell.tool("argo", ARGO)
    shell.kubeconfig(api.port)
    api.answers[f"{NAMESPACED}/workflows/daily-abcde"] = workflow("daily-abcde", "Succeeded", minutes=3)
    ended = shell.run("submit", "daily", "as_of=2026-01-31", "sweep=1")
    assert (ended.returncode, ended.stderr) == (0, "")
    base = "--context kind-test --namespace lakepulse"
    assert shell.calls == [
        f"submit {base} --from workflowtemplate/daily --output name --parameter as_of=2026-01-31 --parameter sweep=1",
        f"wait {base} daily-abcde",
    ]


def test_submit_fails_with_the_workflow_and_says_what_its_step_said(shell: Shell, api: Api) -> None:
    shell.tool("argo", ARGO)
    shell.kubeconfig(api.port)
    api.answers[f"{NAMESPACED}/workflows/daily-abcde"] = FAILED
    api.answers["/api/v1/namespaces/lakepulse/pods/daily-abcde-fetch-111/log"] = LOG
    ended = shell.run("submit", "daily")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "error: daily-abcde ended as Failed: fetch: no repository nobody/nothing; correct the project list"
    ]


def test_status_shows_runs_schedules_and_pods_in_trouble(shell: Shell, api: Api) -> None:
    shell.tool("kubectl", "#!/bin/sh\necho 'error: no such service' >&2; exit 1\n")
    shell.kubeconfig(api.port)
    api.answers[f"{NAMESPACED}/workflows"]["items"] = [
        workflow("issues-fghij", "Succeeded", hours=30),
        FAILED,
        workflow("commits-klmno", "Running", hours=7),
    ]
    api.answers[f"{NAMESPACED}/cronworkflows"]["items"] = [
        {"metadata": {"name": "daily"}, "spec": {"schedules": ["30 4 * * *"]}, "status": {"lastScheduledTime": ago(hours=5)}},
        {"metadata": {"name": "issues"}, "spec": {"schedules": ["0 * * * *"], "suspend": True}},
    ]
    waiting = {"name": "trino", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    left = {"name": "main", "state": {"terminated": {"reason": "Error", "exitCode": 1}}}
    api.answers["/api/v1/namespaces/lakepulse/pods"]["items"] = [
        {
            "metadata": {"name": "trino-0", "creationTimestamp": ago(hours=3)},
            "status": {"phase": "Pending", "containerStatuses": [waiting]},
        },
        {"metadata": {"name": "minio-0"}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
        {
            "metadata": {"name": "daily-abcde-fetch-111", "labels": {"workflows.argoproj.io/completed": "true"}},
            "status": {"phase": "Failed", "containerStatuses": [left]},
        },
        {
            "metadata": {"name": "spark-0-exec-1", "labels": {"spark-role": "executor"}},
            "status": {"phase": "Failed", "containerStatuses": [left]},
        },
        {
            "metadata": {"name": "spark-0-exec-2", "labels": {"spark-role": "executor"}},
            "status": {"phase": "Pending", "containerStatuses": [waiting]},
        },
    ]
    ended = shell.run("status")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = {words[0]: " ".join(words) for line in ended.stdout.splitlines() if (words := line.split())}
    runs = [name for name in lines if name in {"commits-klmno", "daily-abcde", "issues-fghij"}]
    assert runs == ["daily-abcde", "commits-klmno", "issues-fghij"]
    assert lines["commits-klmno"].startswith("commits-klmno commits Running 7 h ago 7 h")
    assert lines["daily-abcde"].endswith("fetch: main: Error (exit code 1)")
    assert lines["issues-fghij"].startswith("issues-fghij issues Succeeded 30 h ago")
    assert "04:30, in" in lines["daily"]
    assert lines["daily"].endswith("5 h ago 30 4 * * *")
    assert lines["issues"] == "issues suspended never 0 * * * *"
    assert lines["unknown:"] == "unknown: no way to the service trino: error: no such service"
    assert lines["trino-0"] == "trino-0 3 h ago trino: ImagePullBackOff no such image"
    assert "minio-0" not in lines
    assert not {"daily-abcde-fetch-111", "spark-0-exec-1"} & set(lines)
    assert "ImagePullBackOff" in lines["spark-0-exec-2"]


def test_status_of_a_new_cluster_says_what_to_do(shell: Shell, api: Api) -> None:
    shell.tool("kubectl", "#!/bin/sh\nexit 1\n")
    shell.kubeconfig(api.port)
    ended = shell.run("status")
    assert ended.returncode == 0
    assert "none yet: make submit PIPELINE=daily" in ended.stdout
    assert "none: make cluster applies them" in ended.stdout
