"""`lakepulse cluster` as far as it works without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8s.argo_install import argo_manifest, install_argo
from k8s.cluster import Cluster
from k8s.folder import claim
from k8s.images import full_name
from k8s.secrets import read_secret, write_secret
from lakepulse.outcome import PermanentError

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lakepulse", "cluster", *arguments]
    # Away from the checkout, whose .env may hold a developer's token.
    kept = {"PYTHONPATH": os.environ.get("PYTHONPATH", "") + f":{ROOT}:{ROOT / 'images' / 'common'}"}
    return subprocess.run(command, env=kept | environment, cwd="/", capture_output=True, text=True, check=False)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with a docker, kind and kubectl that do nothing, successfully."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("docker", "kind", "kubectl"):
        (folder / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("tool", ["docker", "kind", "kubectl"])
def test_a_missing_tool_is_one_line_that_says_where_to_get_it(tools: Path, tool: str) -> None:
    (tools / tool).unlink()
    done = run("up", PATH=str(tools))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: {tool} is not installed; get it from https://")


def test_an_engine_that_does_not_answer_is_one_line(tools: Path) -> None:
    (tools / "docker").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    done = run("up", PATH=str(tools))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Docker is not responding" in done.stderr


@pytest.mark.parametrize(("port", "why"), [("many", "unable to convert"), ("70000", "70000 is not a port")])
def test_a_forward_refuses_a_bad_port(tools: Path, port: str, why: str) -> None:
    done = run("dashboard", PATH=str(tools), PORT=port)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "PORT" in line
    assert why in line


def test_a_cluster_name_that_kind_refuses_is_one_line(tools: Path) -> None:
    done = run("down", PATH=str(tools), CLUSTER_NAME="My Cluster")
    assert done.returncode == 1
    assert done.stderr.startswith("error: CLUSTER_NAME: 'My Cluster' must be ")


def test_secrets_are_their_owners_alone_and_used_again(tmp_path: Path) -> None:
    cluster = Cluster("test", tmp_path / "kept")
    claim(cluster)
    assert read_secret(cluster, "lakepulse-s3") is None
    write_secret(cluster, "lakepulse-s3", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    write_secret(cluster, "lakepulse-s3", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "c"})
    claim(cluster)
    assert read_secret(cluster, "lakepulse-s3") == {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "c"}
    assert cluster.secrets.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in cluster.secrets.iterdir()] == [0o600]


def test_a_damaged_secret_is_not_replaced(tmp_path: Path) -> None:
    cluster = Cluster("test", tmp_path / "kept")
    claim(cluster)
    (cluster.secrets / "lakepulse-s3.json").write_text("{", encoding="utf-8")
    with pytest.raises(PermanentError, match="damaged"):
        read_secret(cluster, "lakepulse-s3")


def test_secrets_reach_kubectl_by_its_input_and_never_by_its_arguments(tools: Path, tmp_path: Path) -> None:
    (tools / "kubectl").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\n/bin/cat >> {tmp_path}/input\n', encoding="utf-8"
    )
    done = run("secrets", PATH=str(tools), CLUSTER_DATA=str(tmp_path / "kept"), GITHUB_TOKEN="token-one,token-two")
    assert done.returncode == 0, done.stderr
    given = (tmp_path / "input").read_text(encoding="utf-8")
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((tmp_path / "kept" / "secrets").iterdir())]
    values = {value for secret in kept for name, value in secret.items() if "USER" not in name and "KEY_ID" not in name}
    assert len(values) == 4, "storage, catalog, the database's owner, GitHub"
    said = (tmp_path / "arguments").read_text(encoding="utf-8") + done.stdout + done.stderr
    for value in values:
        assert value in given
        assert value not in said


def test_definitions_whose_conditions_are_still_null_are_waited_for(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools / "kubectl").write_text(
        f"""#!/bin/sh
case "$*" in *wait*)
    echo asked >> {tmp_path}/waits
    [ $(wc -l < {tmp_path}/waits) -gt 1 ] || {{ echo ".status.conditions accessor error: <nil>" >&2; exit 1; }}
esac
""",
        encoding="utf-8",
    )
    manifest = tmp_path / "install.yaml"
    manifest.write_text("kind: List\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    install_argo(Cluster("test", tmp_path, argo_install=manifest))
    assert (tmp_path / "waits").read_text(encoding="utf-8").count("asked") == 2


def test_argos_manifest_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "install.yaml"
    path.write_text("kind: List\n", encoding="utf-8")
    assert argo_manifest(Cluster("test", tmp_path, argo_install=path)) == b"kind: List\n"
    with pytest.raises(PermanentError, match="ARGO_INSTALL: cannot read"):
        argo_manifest(Cluster("test", tmp_path, argo_install=tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("postgres:15-bookworm", "docker.io/library/postgres:15-bookworm"),
        ("lakepulse/fetch:0.2.0", "docker.io/lakepulse/fetch:0.2.0"),
        ("quay.io/minio/minio:1", "quay.io/minio/minio:1"),
        ("localhost:5000/fetch:1", "localhost:5000/fetch:1"),
    ],
)
def test_an_image_has_one_full_name(name: str, full: str) -> None:
    assert full_name(name) == full
