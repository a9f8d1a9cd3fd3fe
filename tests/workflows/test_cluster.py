"""`submit`, `status` and port-forwards as processes: without a cluster, and against a server that answers like one.

tests/cluster runs them on a real cluster with a real Argo.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection

from workflows.cluster.submit import still

REPOSITORY = Path(__file__).resolve().parents[2]
NAMESPACED = "/apis/argoproj.io/v1alpha1/namespaces/lakepulse"
CORE = "/api/v1/namespaces/lakepulse"


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
        {
            "id": "daily-abcde",
            "name": "daily-abcde",
            "type": "DAG",
            "templateName": "main",
            "phase": "Failed",
            "message": "child failed",
        },
        {
            "id": "daily-abcde-111",
            "name": "daily-abcde.fetch(0)",
            "type": "Pod",
            "templateName": "fetch",
            "phase": "Failed",
            "message": "main: Error (exit code 1)",
            "finishedAt": ago(minutes=9),
        },
        {
            "id": "daily-abcde-222",
            "name": "daily-abcde.onExit(0)",
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
    """An API server's answers by path; anything else is 404.

    A list's answers are given in turn up to the last; a pair has a status of its own.

    A workflow that is created gets a name, and `created` keeps it. A service's pod echoes what it gets.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def serving(self) -> Iterator[Api]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0].rstrip("/")
                if path.endswith("/portforward"):
                    echo(self)
                    return
                answer = api.answers.get(path)
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                if answer is None:
                    answer = (404, {"message": "not found", "reason": "NotFound"})
                self.reply(*(answer if isinstance(answer, tuple) else (200, answer)))

            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.created.append(document)
                metadata = document["metadata"] | {"name": f"{document['metadata']['generateName']}abcde"}
                self.reply(201, document | {"metadata": metadata})

            def reply(self, status: int, answer: Any) -> None:
                body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield self
            server.shutdown()


def echo(handler: BaseHTTPRequestHandler) -> None:
    """Speak Kubernetes' port-forward protocol and send back what comes on channel 0, as often as it comes."""
    key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())  # noqa: S324
    handler.end_headers()
    handler.close_connection = True
    # Each channel begins with the port's number.
    connection = Connection(ConnectionType.SERVER)
    for channel in (b"\x00", b"\x01"):
        handler.wfile.write(connection.send(BytesMessage(channel + (8080).to_bytes(2, "little"))))
    message = b""
    while data := handler.connection.recv(65536):
        connection.receive_data(data)
        for event in connection.events():
            if isinstance(event, BytesMessage):
                message += event.data
                if event.message_finished:
                    handler.wfile.write(connection.send(BytesMessage(message)))
                    message = b""
            elif isinstance(event, CloseConnection):
                handler.wfile.write(connection.send(event.response()))
                return


@pytest.fixture
def api() -> Iterator[Api]:
    answers = {
        "/version": {"gitVersion": "v1.34.4"},
        "/api": {"versions": ["v1"]},
        "/api/v1": {"resources": [{"name": "pods", "kind": "Pod", "singularName": "pod", "namespaced": True}]},
        "/apis": {"groups": []},
        f"{NAMESPACED}/workflowtemplates/daily": {"metadata": {"name": "daily"}},
        f"{NAMESPACED}/workflows": {"items": []},
        f"{NAMESPACED}/cronworkflows": {"items": []},
        f"{CORE}/pods": {"kind": "PodList", "apiVersion": "v1", "items": []},
        f"{CORE}/events": {"kind": "EventList", "apiVersion": "v1", "items": []},
    }
    with Api(answers).serving() as serving:
        yield serving


@dataclass
class Shell:
    """Runs the commands with a kubeconfig of its own."""

    folder: Path

    def kubeconfig(self, port: int) -> None:
        """One with keys in it, as kind writes it, though this server does not ask for them."""
        key, certificate = (base64.b64encode(text).decode() for text in key_pair())
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": f"http://127.0.0.1:{port}", "certificate-authority-data": certificate},
                }
            ],
            "users": [{"name": "test", "user": {"client-key-data": key, "client-certificate-data": certificate}}],
            "contexts": [{"name": "kind-test", "context": {"cluster": "test", "user": "test"}}],
        }
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(document))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/nothing-is-needed",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "CLUSTER_NAME": "test",
            "COLUMNS": "200",
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / part) for part in (".", "images/common")),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lakepulse", *arguments]
        return subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False)


@cache
def key_pair() -> tuple[bytes, bytes]:
    """A private key and its own certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, form, plain), builder.sign(key, hashes.SHA256()).public_bytes(pem)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "tmp").mkdir()
    yield Shell(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == [], "a key of the kubeconfig was left behind"


def only_line(ended: subprocess.CompletedProcess[str], code: int) -> str:
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", [["submit", "daily"], ["status"], ["cluster", "dashboard"]])
def test_missing_cluster_says_how_to_get_one(shell: Shell, command: list[str]) -> None:
    line = only_line(shell.run(*command), 1)
    assert "kind-test" in line
    assert "make cluster" in line


def test_cluster_that_does_not_answer_may_be_tried_again(shell: Shell) -> None:
    with Api().serving() as gone:
        shell.kubeconfig(gone.port)
    line = only_line(shell.run("submit", "daily"), 75)
    assert "does not answer" in line


def test_cluster_that_accepts_and_stays_silent_is_given_up(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell.kubeconfig(silent.getsockname()[1])
        line = only_line(shell.run("status"), 75)
    assert "does not answer" in line


def test_cluster_that_refuses_says_why(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    api.answers[f"{NAMESPACED}/workflows"] = (403, {"message": "workflows is forbidden"})
    assert "refused: 403 workflows is forbidden" in only_line(shell.run("status"), 1)


def test_cluster_without_the_templates_says_how_to_get_them(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    assert "make cluster" in only_line(shell.run("submit", "commits"), 1)


def test_another_namespace_is_taken_from_the_environment(shell: Shell, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.kubeconfig(api.port)
    here = shell.environment | {"KUBE_NAMESPACE": "staging"}
    monkeypatch.setattr(Shell, "environment", property(lambda _: here))
    for path in list(api.answers):
        api.answers[path.replace("/namespaces/lakepulse/", "/namespaces/staging/")] = api.answers.pop(path)
    api.answers["/apis/argoproj.io/v1alpha1/namespaces/staging/workflows/daily-abcde"] = FAILED
    shell.run("submit", "daily")
    [created] = api.created
    assert created["metadata"]["namespace"] == "staging"
    assert "namespace staging, " in shell.run("status").stdout
    here["KUBE_NAMESPACE"] = "Staging"
    assert "KUBE_NAMESPACE: 'Staging' must be lowercase" in only_line(shell.run("status"), 1)


def test_unknown_parameter_is_refused_before_anything_is_submitted(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    line = only_line(shell.run("submit", "daily", "asof=2026-01-31"), 1)
    assert "asof=2026-01-31" in line
    assert "as_of" in line
    assert api.created == []


@pytest.mark.parametrize(
    ("parameter", "why"),
    [
        ("allow_shrink=x", "should be a valid boolean"),
        ("as_of=31.01.2026", "should be a valid date"),
        ("as_of=2999-01-01", "is after today"),
        ("lookback=0", "greater than or equal to 1"),
        ("shards=0", "must be a number from 1 to 999"),
        ("executors=two", "must be a number from 1 to 999"),
        ("executor_memory=1Gi", "must be a size such as 1500m or 2g"),
        ("executor_cpu_request=-1", "must be such as 500m or 1.5"),
        ("projects=Mine", "must be a ConfigMap's name"),
        ("projects=mine", "has no ConfigMap mine"),
    ],
)
def test_a_bad_value_is_refused_before_anything_is_submitted(shell: Shell, api: Api, parameter: str, why: str) -> None:
    shell.kubeconfig(api.port)
    line = only_line(shell.run("submit", "daily", parameter), 1)
    assert (parameter.partition("=")[0] in line, why in line) == (True, True), line
    assert api.created == []


def test_a_step_that_takes_long_is_named_where_no_spinner_shows_it() -> None:
    now = datetime(2026, 1, 31, 4, 35, tzinfo=UTC)
    load = {"id": "1", "name": "daily-abcde.load(0)", "type": "Pod", "phase": "Running", "startedAt": "2026-01-31T04:31:00Z"}
    build = {"id": "2", "name": "daily-abcde.build", "type": "Pod", "phase": "Pending", "message": "Unschedulable: no\ncpu"}
    assert [" ".join(line.split()) for line in still(workflow("daily-abcde", "Running", [load, build]), now)] == [
        "load running for 4 minutes",
        "build pending: Unschedulable: no cpu",
    ]
    assert list(still(workflow("daily-abcde", "Running"), now)) == ["daily-abcde is waiting for its next step"]


def test_submit_passes_parameters_shows_steps_and_succeeds_with_the_workflow(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    fetch: dict[str, Any] = {
        "name": "daily-abcde.fetch-github.shard(0:0/1)(0)",
        "type": "Pod",
        "startedAt": "2026-01-31T04:30:00Z",
    }
    fetch["id"] = "daily-abcde-1"
    ended = {"phase": "Succeeded", "finishedAt": "2026-01-31T04:31:05Z"}
    waiting: dict[str, Any] = {
        "name": "daily-abcde.build-publish",
        "type": "DAG",
        "startedAt": "2026-01-31T04:31:10Z",
        "phase": "Pending",
    }
    waiting |= {"id": "daily-abcde-2", "synchronizationStatus": {"waiting": "lakepulse/Mutex/gold"}}
    api.answers[f"{NAMESPACED}/workflows/daily-abcde"] = [
        workflow("daily-abcde", "Running", [fetch | {"phase": "Running"}], minutes=3),
        workflow("daily-abcde", "Running", [fetch | ended, waiting], minutes=3),
        workflow("daily-abcde", "Succeeded", [fetch | ended], minutes=3),
    ]
    done = shell.run("submit", "daily", "as_of=2026-01-31", "sweep=1")
    assert (done.returncode, done.stderr) == (0, "")
    [created] = api.created
    assert created["spec"] == {
        "workflowTemplateRef": {"name": "daily"},
        "arguments": {"parameters": [{"name": "as_of", "value": "2026-01-31"}, {"name": "sweep", "value": "1"}]},
    }
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "submitted daily-abcde",
        "fetch-github.shard(0:0/1) started",
        "fetch-github.shard(0:0/1) succeeded after 1 minute and 5 seconds",
        "build-publish waiting for lakepulse/Mutex/gold",
    ]


def test_submit_fails_with_the_workflow_and_shows_its_steps_error(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    api.answers[f"{NAMESPACED}/workflows/daily-abcde"] = FAILED
    api.answers[f"{CORE}/pods/daily-abcde-fetch-111/log"] = LOG
    ended = shell.run("submit", "daily")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "error: daily-abcde ended as Failed: fetch: no repository nobody/nothing; correct the project list"
    ]


def test_a_deleted_workflow_ends_the_watching(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    ended = shell.run("submit", "daily")
    assert ended.returncode == 1
    assert ended.stderr == "error: daily-abcde was deleted before it ended\n"


def test_status_shows_runs_schedules_and_pods_in_trouble(shell: Shell, api: Api) -> None:
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
    creating = {"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}
    left = {"name": "main", "state": {"terminated": {"reason": "Error", "exitCode": 1}}}
    api.answers[f"{CORE}/pods"]["items"] = [
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
        {
            "metadata": {"name": "postgres-0", "creationTimestamp": ago(hours=5)},
            "status": {"phase": "Pending", "containerStatuses": [creating]},
        },
        {
            "metadata": {"name": "dashboard-0", "creationTimestamp": ago(minutes=2)},
            "status": {"phase": "Pending", "containerStatuses": [creating]},
        },
    ]
    api.answers[f"{CORE}/events"]["items"] = [
        {
            "metadata": {"name": f"postgres-0.{number}", "creationTimestamp": ago(hours=5 - number)},
            "involvedObject": {"kind": "Pod", "name": "postgres-0"},
            "message": message,
        }
        for number, message in enumerate(("an older warning", 'MountVolume.SetUp failed: secret "lakepulse-s3" not found'))
    ]
    ended = shell.run("status")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = {words[0]: " ".join(words) for line in ended.stdout.splitlines() if (words := line.split())}
    runs = [name for name in lines if name in {"commits-klmno", "daily-abcde", "issues-fghij"}]
    assert runs == ["daily-abcde", "commits-klmno", "issues-fghij"]
    assert lines["commits-klmno"].startswith("commits-klmno commits Running 7 hours ago 7 hours")
    assert lines["daily-abcde"].endswith("fetch: main: Error (exit code 1)")
    assert lines["issues-fghij"].startswith("issues-fghij issues Succeeded a day ago")
    assert "04:30, in" in lines["daily"]
    assert lines["daily"].endswith("5 hours ago 30 4 * * *")
    assert lines["issues"] == "issues suspended never 0 * * * *"
    assert lines["unknown:"] == "unknown: the cluster has no service trino; run make cluster"
    assert lines["trino-0"] == "trino-0 3 hours ago trino: ImagePullBackOff no such image"
    assert lines["postgres-0"].endswith('main: ContainerCreating MountVolume.SetUp failed: secret "lakepulse-s3" not found')
    assert "dashboard-0" not in lines, "it is just starting"
    assert "minio-0" not in lines
    assert not {"daily-abcde-fetch-111", "spark-0-exec-1"} & set(lines)
    assert "ImagePullBackOff" in lines["spark-0-exec-2"]


def test_status_of_a_new_cluster_says_what_to_do(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    ended = shell.run("status")
    assert ended.returncode == 0
    assert "none on this cluster: make submit PIPELINE=daily" in ended.stdout
    assert "none: make cluster applies them" in ended.stdout


# --- port-forwards

POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "dashboard-0", "namespace": "lakepulse"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "ContainersReady", "status": "True"}]},
}


@pytest.fixture
def service(api: Api) -> Api:
    """The dashboard's service with a pod that is ready."""
    api.answers[f"{CORE}/services/dashboard"] = {"metadata": {"name": "dashboard"}, "spec": {"selector": {"app": "dashboard"}}}
    api.answers[f"{CORE}/pods"] = {"kind": "PodList", "apiVersion": "v1", "items": [POD]}
    api.answers[f"{CORE}/pods/dashboard-0"] = POD
    return api


def test_a_forward_prints_its_address_and_carries_what_it_gets(shell: Shell, service: Api) -> None:
    shell.kubeconfig(service.port)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lakepulse", "cluster", "dashboard", "--port", str(port)]
    with subprocess.Popen(command, env=shell.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        assert f"http://127.0.0.1:{port} " in forward.stdout.readline()
        sent = os.urandom(200_000)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                threading.Thread(target=connection.sendall, args=(sent,)).start()
                got = b""
                while len(got) < len(sent) and (part := connection.recv(65536)):
                    got += part
                assert got == sent
        # One that is still open must not keep it from ending.
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"ping")
            assert connection.recv(4) == b"ping"
            forward.send_signal(signal.SIGINT)
            assert forward.wait(10) == 0
        assert forward.stderr is not None
        assert forward.stderr.read() == ""


def test_a_forward_to_a_port_in_use_is_not_blamed_on_the_cluster(shell: Shell, service: Api) -> None:
    shell.kubeconfig(service.port)
    line = only_line(shell.run("cluster", "dashboard", "--port", str(service.port)), 1)
    assert line == f"error: PORT: {service.port} is in use on this machine; choose another one"


def test_a_forward_to_a_service_without_a_ready_pod_may_be_tried_again(shell: Shell, service: Api) -> None:
    shell.kubeconfig(service.port)
    service.answers[f"{CORE}/pods"]["items"] = []
    assert "no pod of dashboard is ready" in only_line(shell.run("cluster", "dashboard"), 75)


def test_a_forward_to_a_missing_service_is_one_line(shell: Shell, api: Api) -> None:
    shell.kubeconfig(api.port)
    assert "has no service dashboard; run make cluster" in only_line(shell.run("cluster", "dashboard"), 1)
