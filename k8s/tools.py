"""The programs that make the cluster: docker, kind and kubectl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lakepulse.outcome import PermanentError, TemporaryError

ROOT = Path(__file__).resolve().parents[1]

_INSTALL = {
    "docker": "https://docs.docker.com/engine/install",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "kubectl": "https://kubernetes.io/docs/tasks/tools",
}


def run(*command: str, text: str | None = None) -> str:
    """Run a tool in the repository's root and return its output.

    Raises:
        TemporaryError: it failed; the message has the end of its output.
    """
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise TemporaryError(f"{' '.join(command[:8])} failed: {' | '.join(said)}")
    return done.stdout


def require_tools(*names: str) -> None:
    """Check that the tools are installed and that a Docker engine answers.

    Raises:
        PermanentError: one is missing; the message says where to get it.
    """
    for name in names:
        if shutil.which(name) is None:
            raise PermanentError(f"{name} is not installed; get it from {_INSTALL[name]}")
    if "docker" in names:
        done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)  # noqa: S607 - from the PATH
        if done.returncode:
            raise PermanentError(f"Docker is not responding; start it, or see {_INSTALL['docker']}")


def say(text: str) -> None:
    print(text, flush=True)
