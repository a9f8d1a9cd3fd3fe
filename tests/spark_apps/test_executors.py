"""A driver on Kubernetes whose executors never start: real Spark, and an API server that accepts pods and schedules none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from lakepulse.outcome import PermanentError
from lakepulse.settings import Settings
from spark_apps.session import SparkSettings, configuration, spark_settings

PENDING = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }
    ],
}
NO_IMAGE = {
    "phase": "Pending",
    "containerStatuses": [
        {
            "name": "executor",
            "image": "lakepulse/spark:none",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "pull access denied"}},
        }
    ],
}


class Api(BaseHTTPRequestHandler):
    """As much of the pods API as Spark uses: create, list, and a watch without events. `status` None: over quota."""

    protocol_version = "HTTP/1.1"
    status: ClassVar[dict[str, Any] | None] = None
    pods: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        pod = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.status is None:
            self._send(403, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "over quota", "code": 403})
            return
        pod["metadata"] |= {"uid": "1", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.pods.append({**pod, "status": self.status})
        self._send(201, self.pods[-1])

    def do_GET(self) -> None:
        if "watch=true" in urlsplit(self.path).query:
            # Refuses a web socket; a plain watch ends without an event.
            self._send(503 if self.headers.get("Upgrade") else 200, None)
            return
        self._send(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": self.pods})

    def do_DELETE(self) -> None:
        self._send(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def do_PATCH(self) -> None:
        self.do_DELETE()

    def _send(self, code: int, answer: dict[str, Any] | None) -> None:
        body = json.dumps(answer).encode() if answer else b""
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """No log."""


@pytest.fixture
def api() -> Iterator[str]:
    Api.pods = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        (PENDING, "pod Pending (Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.)"),
        (NO_IMAGE, "pod Pending (ImagePullBackOff: pull access denied)"),
        (None, "they have no pods; a quota or a policy may refuse them, see the log above"),
    ],
    ids=["no room", "no image", "refused"],
)
def test_a_driver_without_an_executor_gives_up_and_says_why(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: dict[str, Any] | None, reported: str
) -> None:
    monkeypatch.setattr(Api, "status", status)
    settings = {
        "DATA_DIR": str(tmp_path),
        "SPARK_MASTER": f"k8s://{api}",
        "SPARK_IMAGE": "lakepulse/spark:none",
        "SPARK_EXECUTOR_WAIT_SECONDS": "5",
        "SPARK_EXECUTOR_CPU_REQUEST": "64",
        "SPARK_DRIVER_HOST": "127.0.0.1",
        "SPARK_DRIVER_PORT": "0",
        "SPARK_BLOCK_MANAGER_PORT": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "spark_apps.load"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 75, ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: no executor started in 5 s in namespace lakepulse (image lakepulse/spark:none, 64 CPU")
    assert reported in line


@pytest.mark.parametrize(("cores", "request_", "limit"), [(1, "500m", "2"), (1, "3", "3"), (4, "2500m", "5"), (2, "3.5", "4")])
def test_an_executors_cpu_limit_covers_its_cores_and_its_request(cores: int, request_: str, limit: str) -> None:
    spark = SparkSettings(master="k8s://https://here", image="x", executor_cores=cores, executor_cpu_request=request_)
    assert configuration(Settings(), spark)["spark.kubernetes.executor.limit.cores"] == limit


@pytest.mark.parametrize("wrong", ["half", "500 m", "1.5m", ""])
def test_a_cpu_request_that_is_no_quantity_is_named(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("SPARK_EXECUTOR_CPU_REQUEST", wrong or " ")
    with pytest.raises(PermanentError, match="SPARK_EXECUTOR_CPU_REQUEST"):
        spark_settings()
