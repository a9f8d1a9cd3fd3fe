"""The services that people open in a browser, each by a port of this machine."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

from k8s.access import account_token, chosen_context, connection, forwarded
from k8s.cluster import Cluster
from k8s.tools import say
from lakepulse.outcome import PermanentError


@dataclass(frozen=True, slots=True)
class Forward:
    """A service's port, and the port of this machine that leads to it unless another one is given."""

    service: str
    port: int
    local: int
    what: str


FORWARDS = {
    "argo-ui": Forward("argo-server", 2746, 2746, "Argo's user interface"),
    "dashboard": Forward("dashboard", 8501, 8501, "the dashboard"),
    "trino": Forward("trino", 8080, 8080, "Trino (any user but lakepulse can only read)"),
    "minio-ui": Forward("minio", 9001, 9001, "MinIO's console"),
    "dbt-docs": Forward("dbt-docs", 8080, 8085, "the models' documentation"),
}


def forward(name: str, port: int | None = None) -> None:
    """Forward a port, print its address, and go on until interrupted.

    Raises:
        PermanentError: the port is none or in use, or the service does not exist.
        TemporaryError: the cluster does not answer, or no pod of the service is ready.
    """
    target = FORWARDS[name]
    wanted = target.local if port is None else port
    if not 0 < wanted < 65536:
        raise PermanentError(f"PORT: {wanted} is not a port")
    context = chosen_context()
    # Ended politely, no key of the kubeconfig is left in a temporary file.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))

    def complain(why: str) -> None:
        say(f"a connection to {target.service} failed: {why}; make status shows whether it is running")

    with connection(context) as api, forwarded(api, target.service, target.port, wanted, complain) as opened:
        say(f"{target.what}: http://127.0.0.1:{opened}  (end with Ctrl-C)")
        if name == "argo-ui":
            say(f"log in with this token, valid for 12 hours:\nBearer {account_token(context, 'argo-ui', 12)}")
        if name == "minio-ui":
            say(f"user and password: {Cluster.from_environment().secrets / 'lakepulse-s3.json'}")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
