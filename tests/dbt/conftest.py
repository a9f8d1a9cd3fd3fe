"""Lakes under tmp_path, for the real dbt project and for a small one that tests may break."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lakepulse.data_dir import open_data_dir
from tests.dbt.lake import ROOT, Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake that the real dbt project builds from."""
    lake = Lake(tmp_path)
    open_data_dir(lake.settings())
    return lake


@pytest.fixture
def mini(lake: Lake) -> Lake:
    """An empty lake that a copy of the small project builds from."""
    project = lake.folder / "project"
    shutil.copytree(Path(__file__).parent / "mini", project)
    shutil.copy(ROOT / "dbt" / "profiles.yml", project)
    (project / "tests" / "generic").mkdir()
    shutil.copy(ROOT / "dbt" / "tests" / "generic" / "grain.sql", project / "tests" / "generic")
    lake.extra["DBT_PROJECT_DIR"] = str(project)
    # It declares no figures that a rule could name.
    lake.extra["ALERTS"] = str(project / "no-alerts.yaml")
    return lake


class Webhook(HTTPServer):
    """Keeps what it is sent and answers with `status`."""

    status = 204
    received: list[tuple[str, dict[str, Any]]]


class Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None: ...


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook(("127.0.0.1", 0), Handler) as server:
        server.received = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
