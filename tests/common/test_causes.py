"""Causes injected into what steps depend on: each line names the true one, and says whether waiting helps.

The addresses, paths and run ids have numbers and words in them that mean something else elsewhere.
"""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import obstore
import pytest
import sqlalchemy
from obstore.store import LocalStore, S3Store
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import PyArrowFileIO

from lakepulse.outages import outage
from lakepulse.outcome import PERMANENT, TEMPORARY
from lakepulse.step import run_step

MISLEADING = "daily-t4032/AccessDenied-503-Forbidden-NoSuchBucket"
"""A path of objects: what it says is not how the store answers."""


@dataclass
class S3:
    """An object store that refuses everything in one way."""

    status: int
    code: str
    port: int = 0

    @contextmanager
    def serving(self) -> Iterator[S3]:
        s3 = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = f"<?xml version='1.0'?>\n<Error><Code>{s3.code}</Code><Message>503\n500</Message></Error>".encode()
                self.send_response(s3.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield self
            server.shutdown()

    def store(self) -> S3Store:
        return S3Store(
            "lake",
            prefix=MISLEADING,
            endpoint=f"http://127.0.0.1:{self.port}",
            access_key_id="nobody",
            secret_access_key="x",
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )

    def listed(self) -> None:
        list(obstore.list(self.store()))

    def read(self) -> None:
        obstore.get(self.store(), "object")

    def written(self) -> None:
        obstore.put(self.store(), "object", b"1")

    def opened(self) -> None:
        """As PyIceberg reads a file."""
        properties = {"s3.endpoint": f"http://127.0.0.1:{self.port}", "s3.access-key-id": "nobody", "s3.region": "us-east-1"}
        with PyArrowFileIO(properties | {"s3.secret-access-key": "x"}).new_output(f"s3://lake/{MISLEADING}").create() as file:
            file.write(b"1")


def ended(act: Callable[[], Any], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of a step that does nothing else, and its one line."""
    code = run_step(act)
    (line,) = capfd.readouterr().err.splitlines()
    return code, line


@pytest.mark.parametrize("act", [S3.listed, S3.read, S3.written, S3.opened], ids=lambda act: act.__name__)
@pytest.mark.parametrize(
    ("refusal", "exit_code", "words"),
    [
        (S3(403, "AccessDenied"), PERMANENT, "access refused; check AWS_ACCESS_KEY_ID"),
        (S3(403, "SignatureDoesNotMatch"), PERMANENT, "access refused; check AWS_ACCESS_KEY_ID"),
        (S3(404, "NoSuchBucket"), PERMANENT, "the bucket does not exist"),
        (S3(500, "InternalError"), TEMPORARY, "answered 500"),
        (S3(503, "SlowDown"), TEMPORARY, "answered 503"),
        (S3(507, "XMinioStorageFull"), PERMANENT, "it is full"),
    ],
    ids=lambda value: value.code if isinstance(value, S3) else None,
)
def test_an_object_stores_status_decides(
    act: Callable[[S3], None], refusal: S3, exit_code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with refusal.serving() as s3:
        found, line = ended(lambda: act(s3), capfd)
    assert (found, words in line) == (exit_code, True), line


@pytest.mark.parametrize("act", [S3.listed, S3.read, S3.written, S3.opened], ids=lambda act: act.__name__)
def test_an_object_store_that_is_down_is_an_outage_whatever_the_run_is_called(
    act: Callable[[S3], None], capfd: pytest.CaptureFixture[str]
) -> None:
    code, line = ended(lambda: act(S3(0, "", port=1)), capfd)
    assert (code, "the object store did not answer (" in line) == (TEMPORARY, True), line


def folder_of_another_kind(folder: Path) -> None:
    (folder / "No space left on device").write_text("")
    obstore.put(LocalStore(folder), "No space left on device/object", b"1")


def test_a_folder_that_is_a_file_is_no_full_disk(tmp_path: Path) -> None:
    with pytest.raises(obstore.exceptions.BaseError) as raised:
        folder_of_another_kind(tmp_path)
    assert outage(raised.value) is None


# --- the catalog's database


def sqlite(path: Path, *options: str) -> sqlalchemy.Engine:
    query = "&".join(("uri=true", *options))
    return sqlalchemy.create_engine(f"sqlite:///{path.as_uri()}?{query}", poolclass=sqlalchemy.pool.NullPool)


def execute(engine: sqlalchemy.Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))


def locked(path: Path) -> None:
    execute(sqlite(path), "create table t (a)")
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin exclusive")
        execute(sqlite(path, "timeout=0"), "insert into t values ('disk is full')")


def read_only(path: Path) -> None:
    execute(sqlite(path), "create table t (a)")
    execute(sqlite(path, "mode=ro"), "insert into t values (1)")


def full(path: Path) -> None:
    execute(sqlite(path), "pragma max_page_count = 2", "create table t (a)", "insert into t values (zeroblob(100000))")


def damaged(path: Path) -> None:
    path.write_bytes(b"readonly database" * 1000)
    execute(sqlite(path), "select * from t")


@pytest.mark.parametrize(
    ("act", "exit_code", "words"),
    [
        (locked, TEMPORARY, "the catalog is in use (database is locked)"),
        (read_only, PERMANENT, "the catalog is not writable"),
        (full, PERMANENT, "the catalog's disk is full"),
        (damaged, PERMANENT, "the catalog is damaged"),
        (lambda path: execute(sqlite(path / "none"), "select 1"), PERMANENT, "the catalog is not writable"),
    ],
    ids=["locked", "read-only", "full", "damaged", "no folder"],
)
def test_a_catalog_file_says_what_is_wrong_with_it(
    act: Callable[[Path], None], exit_code: int, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, line = ended(lambda: act(tmp_path / "catalog.db"), capfd)
    assert (code, words in line) == (exit_code, True), line


def test_a_wrong_statement_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(sqlalchemy.exc.OperationalError, match="no such table"):
        run_step(lambda: execute(sqlite(tmp_path / "catalog.db"), "select 'database is locked' from missing"))


@contextmanager
def postgres(state: str, message: str) -> Iterator[int]:
    """The port of a PostgreSQL that refuses each connection with an error."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                # Requests for encryption come first.
                while struct.unpack("!ii", connection.recv(8, socket.MSG_PEEK))[1] in (80877103, 80877104):
                    connection.recv(8)
                    connection.sendall(b"N")
                connection.recv(1024)
                fields = (f"SFATAL\0VFATAL\0C{state}\0M{message}\0\0").encode()
                connection.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("state", "message", "exit_code", "words"),
    [
        ("28P01", 'password authentication failed for user "a"', PERMANENT, "check CATALOG_USER and CATALOG_PASSWORD"),
        ("3D000", 'database "starting up" does not exist', PERMANENT, "check CATALOG_URI"),
        ("57P03", "the database system is starting up", TEMPORARY, "did not answer"),
        ("53300", "sorry, too many clients already", TEMPORARY, "did not answer"),
    ],
)
def test_a_catalog_server_says_why_it_refuses(
    state: str, message: str, exit_code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with postgres(state, message) as port:
        engine = sqlalchemy.create_engine(f"postgresql+psycopg://a:x@127.0.0.1:{port}/403")
        code, line = ended(lambda: execute(engine, "select 1"), capfd)
    assert (code, words in line, message in line) == (exit_code, True, True), line


@pytest.mark.parametrize(
    ("status", "exit_code", "words"),
    [(401, PERMANENT, "refused access"), (403, PERMANENT, "refused access"), (503, TEMPORARY, "did not answer")],
)
def test_a_rest_catalog_says_why_it_refuses(status: int, exit_code: int, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    with S3(status, "none").serving() as server:
        properties = {"type": "rest", "uri": f"http://127.0.0.1:{server.port}/503"}
        code, line = ended(lambda: load_catalog("rest", **properties), capfd)
    assert (code, f"the REST catalog {words}" in line) == (exit_code, True), line


# --- disks and connections


@pytest.mark.parametrize(
    ("number", "exit_code", "words"),
    [
        (errno.ENOSPC, PERMANENT, "free space"),
        (errno.EDQUOT, PERMANENT, "free space"),
        (errno.EROFS, PERMANENT, "its permissions"),
        (errno.EACCES, PERMANENT, "its permissions"),
        (errno.EIO, PERMANENT, "check the disk"),
        (errno.EMFILE, PERMANENT, "ulimit -n"),
        (errno.ECONNREFUSED, TEMPORARY, "a network connection failed"),
        (errno.ECONNRESET, TEMPORARY, "a network connection failed"),
        (errno.ETIMEDOUT, TEMPORARY, "a network connection failed"),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) and value > TEMPORARY else None,
)
def test_the_systems_error_number_decides(number: int, exit_code: int, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        raise OSError(number, os.strerror(number), "some/file")

    code, line = ended(act, capfd)
    assert (code, words in line, os.strerror(number) in line) == (exit_code, True, True), line


def test_a_build_file_that_is_not_writable_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """DuckDB's text is all that it gives; root may write everything, so the text is injected."""

    def act() -> None:
        raise duckdb.IOException(f'IO Error: Cannot open file "{tmp_path}": Permission denied')

    code, line = ended(act, capfd)
    assert (code, str(tmp_path) in line, "its permissions" in line) == (PERMANENT, True, True), line


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory", "x"),
        duckdb.IOException('IO Error: "No space left on device" x'),
    ],
)
def test_what_nobody_knows_keeps_its_traceback(error: Exception) -> None:
    def act() -> None:
        raise error

    with pytest.raises(type(error)):
        run_step(act)
