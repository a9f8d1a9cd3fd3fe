"""The simulator as the cluster's tests serve it: behind a service, with a revoked token."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import httpx
import yaml

from k8s.images import image_name
from tests.cluster.harness import REVOKED, ROOT, TOKEN

MANIFEST = ROOT / "tests" / "cluster" / "simulator.yaml"


def test_links_name_the_service_and_a_bad_token_is_refused() -> None:
    [container] = (
        document["spec"]["template"]["spec"]["containers"][0]
        for document in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))
        if document["kind"] == "Deployment"
    )
    assert container["image"] == image_name("simulator")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [word for word in container["command"][1:] if word not in {"--host=0.0.0.0", "--port=8000"}]
    command = [sys.executable, *words, "--port", str(port), "--world", "tiny"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "images" / "simulator")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stderr is not None
            assert simulator.stderr.readline().startswith(f"simulator: http://127.0.0.1:{port} (tiny of ")
            address = f"http://127.0.0.1:{port}/github/repos/acme/lake/commits?per_page=1"
            answer = httpx.get(address, headers={"Host": "simulator:8000"})
            assert answer.links["next"]["url"].startswith("http://simulator:8000/github/")
            for token, status in ((TOKEN, 200), (REVOKED, 401)):
                assert httpx.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == status
        finally:
            simulator.send_signal(signal.SIGTERM)
    assert simulator.returncode == 128 + signal.SIGTERM
