"""A lake behind a web server: what its clients read is what was published, wherever the folder lies."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from lakepulse.data_dir import open_data_dir
from lakepulse.publications import publications, read_table
from spark_apps.jars import jar_name, jars_dir
from tests.dbt.lake import Lake, first_load, second_load
from tests.lake.read import digest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SPARK_S3 = "org.apache.iceberg:iceberg-aws-bundle:1.12.0"
CLIENTS = ("duckdb", "pyiceberg", "polars", "spark")

Rows = dict[str, list[Any]]
"""Table -> number and hash of its rows."""


class Published(NamedTuple):
    lake: Lake
    newest: Rows
    older: Rows


class Tools(NamedTuple):
    python: Path
    jars: Path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Every gold table of the project in two publications that differ."""
    lake = Lake(tmp_path_factory.mktemp("published"))
    open_data_dir(lake.settings())
    first_load(lake)
    lake.step("build")
    lake.publish()
    lake.run_id, lake.as_of = "run-2", "2024-03-17"
    second_load(lake, lake.as_of)
    lake.step("build")
    lake.publish()
    catalog = lake.catalog()
    newest, older = (
        {name: digest(read_table(catalog, publication, name)) for name in publication.snapshots}
        for publication in publications(catalog)
    )
    assert len(newest) > 30
    assert sum(newest[name] != older[name] for name in newest) > 5
    return Published(lake, newest, older)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """The clients in an environment of their own, and the jar that Spark reads S3 with beside the pipeline's."""
    folder = tmp_path_factory.mktemp("clients")
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    install = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--require-hashes",
        "-r",
        str(HERE / "clients.lock"),
    ]
    for command in ([str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)], install):
        subprocess.run(command, check=True, env=os.environ | {"UV_LINK_MODE": "copy"})
    jars = jars_dir() / "lake"
    if not (jars / jar_name(SPARK_S3)).is_file():
        code = f"from pathlib import Path; from spark_apps.jars import resolve; resolve(('{SPARK_S3}',), Path({str(jars)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return Tools(python, jars)


@contextmanager
def served(folder: Path, python: Path, module: str, port: int) -> Iterator[None]:
    """A web server of Python's own kind for a folder, until the block ends."""
    command = [str(python), "-m", module, str(port), "--bind", "127.0.0.1"]
    with (folder.parent / f"{port}.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while not is_open(port):
                assert server.poll() is None, (folder.parent / f"{port}.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
            server.wait()


def is_open(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def read(tools: Tools, client: str, *addresses: str) -> list[Rows]:
    """What a client reads at each address, in a process of its own."""
    python = Path(sys.executable) if client == "spark" else tools.python
    done = subprocess.run(
        [python, "-W", "ignore", HERE / "read.py", client, *addresses],
        env=os.environ | {"JARS": f"{jars_dir()}/*:{tools.jars}/*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    return [found[address] for address in addresses]


def files(folder: Path) -> dict[str, str]:
    """Path -> hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_client_reads_what_was_published_also_after_a_move(published: Published, tools: Tools, tmp_path: Path) -> None:
    expected = [published.newest, published.older]
    folders = [tmp_path / "newest", tmp_path / "older"]
    ports = [free_port(), free_port()]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    published.lake.step("lake", str(folders[0]), "--address", addresses[0])
    published.lake.step("lake", str(folders[1]), "--publication", "2024-03-10", "--address", addresses[1])
    with (
        served(folders[0], tools.python, "RangeHTTPServer", ports[0]),
        served(folders[1], tools.python, "RangeHTTPServer", ports[1]),
    ):
        for client in CLIENTS:
            assert read(tools, client, *addresses) == expected, client

    data = [files(folder / "lakepulse") for folder in folders]
    # Both behind one server, so that the addresses have a path.
    port, moved = free_port(), tmp_path / "moved"
    moved.mkdir()
    addresses = [f"http://127.0.0.1:{port}/lakes/{folder.name}/" for folder in folders]
    (moved / "lakes").mkdir()
    folders = [folder.rename(moved / "lakes" / folder.name) for folder in folders]
    for folder, address in zip(folders, addresses, strict=True):
        published.lake.step("lake", str(folder), "--readdress", "--address", address, DATA_DIR=str(tmp_path / "none"))
    assert [files(folder / "lakepulse") for folder in folders] == data
    with served(moved, tools.python, "RangeHTTPServer", port):
        for client in CLIENTS:
            assert read(tools, client, *(address.rstrip("/") for address in addresses)) == expected, client


def test_duckdb_needs_no_range_requests(published: Published, tools: Tools, tmp_path: Path) -> None:
    """`python -m http.server` answers none; DuckDB then reads files whole."""
    port, out = free_port(), tmp_path / "lake"
    address = f"http://127.0.0.1:{port}"
    published.lake.step("lake", str(out), "--address", address)
    with served(out, Path(sys.executable), "http.server", port):
        assert read(tools, "duckdb", address) == [published.newest]


def test_nothing_in_a_lake_names_where_it_came_from(published: Published, tmp_path: Path) -> None:
    out = tmp_path / "lake"
    published.lake.step("lake", str(out), "--publication", "run-1", "--address", "https://data.example.org/lakes/gold/")
    assert json.loads((out / "lake.json").read_text())["run_id"] == "run-1"
    config = json.loads((out / "v1" / "config").read_text())
    assert config["overrides"]["uri"] == config["overrides"]["s3.endpoint"] == "https://data.example.org/lakes/gold"
    origin = str(published.lake.folder).encode()
    assert [path for path in out.rglob("*") if path.is_file() and origin in path.read_bytes()] == []


def test_writing_again_takes_the_place_of_an_earlier_lake_alone(published: Published, tmp_path: Path) -> None:
    out, foreign = tmp_path / "lake", tmp_path / "foreign"
    published.lake.step("lake", str(out), "--publication", "run-1")
    published.lake.step("lake", str(out))
    assert json.loads((out / "lake.json").read_text())["run_id"] == "run-2"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("mine")
    done = published.lake.step("lake", str(foreign), check=1)
    assert done.stderr.splitlines() == [
        f"error: {foreign} is not empty and holds nothing that this command wrote earlier; name another folder"
    ]
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--publication", "2024-03-11"],
            "error: no publication '2024-03-11'; name a date or a run, the newest are 2024-03-",
        ),
        (["--publication", "'; drop --"], 'error: no publication "\'; drop --"; name a date or a run'),
        (["--address", "s3://bucket"], "error: ADDRESS: must be an http or https address"),
        (
            ["--address", "http://user:secret@host"],
            "error: ADDRESS: must be an http or https address",
        ),
        (["--readdress"], " holds no lake; write one first"),
    ],
)
def test_what_cannot_be_written_is_one_line(published: Published, tmp_path: Path, arguments: list[str], line: str) -> None:
    done = published.lake.step("lake", str(tmp_path / "lake"), *arguments, check=1)
    [error] = done.stderr.splitlines()
    assert line in error
    assert list(tmp_path.iterdir()) == []


def test_an_expired_snapshot_is_one_line(tmp_path: Path) -> None:
    """A publication's snapshots are kept for 90 days; what is left of an older one is not passed off as complete."""
    lake = Lake(tmp_path / "own")
    lake.folder.mkdir()
    open_data_dir(lake.settings())
    for lake.run_id, number in (("run-1", 1), ("run-2", 2)):
        lake.stage(fct_numbers=(["number"], pa.table({"number": [number]})))
        lake.publish()
    table = lake.catalog().load_table("gold.fct_numbers")
    old = table.snapshots()[0].snapshot_id
    table.manage_snapshots().remove_tag("publication-run-1").commit()
    table.maintenance.expire_snapshots().by_id(old).commit()
    done = lake.step("lake", str(tmp_path / "out"), "--publication", "run-1", check=1)
    assert done.stderr.splitlines() == [f"error: gold.fct_numbers: snapshot {old} has expired; name a newer publication"]
    assert not (tmp_path / "out").exists()


def test_the_folder_is_readable_by_a_web_servers_user(published: Published, tmp_path: Path) -> None:
    out = tmp_path / "lake"
    published.lake.step("lake", str(out))
    assert [path for path in [out, *out.rglob("*")] if path.stat().st_mode & 0o004 == 0] == []
