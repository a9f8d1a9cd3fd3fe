"""Named locks that die with their holder, so that a killed step never blocks the next one.

On one machine a lock is an advisory file lock under `DATA_DIR/locks`, for a step that may use a
PostgreSQL catalog a session-level advisory lock. Elsewhere, as for fetch on a cluster, the workflow
engine's mutexes are the only guard.
"""

from __future__ import annotations

import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from lakepulse.catalog import sqlalchemy_url
from lakepulse.outcome import TemporaryError
from lakepulse.settings import Settings

_POLL_SECONDS = 0.2


@contextmanager
def lock(settings: Settings, name: str, wait_seconds: float = 600) -> Iterator[None]:
    """Hold the lock `name` (letters, digits, `.`, `-`, `_`).

    Raises:
        TemporaryError: another run still held it after `wait_seconds`.
    """
    if settings.is_local:
        holder = _file_lock(settings, name, wait_seconds)
    elif (settings.catalog_uri or "").startswith("postgresql") and settings.catalog_password:
        holder = _postgres_lock(settings, name, wait_seconds)
    else:
        yield
        return
    with holder:
        yield


def _busy(name: str, wait_seconds: float) -> TemporaryError:
    return TemporaryError(f"another run holds the lock {name} (waited {wait_seconds:g} s); run again when it has ended")


@contextmanager
def _file_lock(settings: Settings, name: str, wait_seconds: float) -> Iterator[None]:
    folder = settings.data_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise _busy(name, wait_seconds) from None
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _postgres_lock(settings: Settings, name: str, wait_seconds: float) -> Iterator[None]:
    import sqlalchemy  # the fetch image has neither it nor the password

    key = zlib.crc32(f"lakepulse/{name}".encode())
    engine = sqlalchemy.create_engine(sqlalchemy_url(settings), poolclass=sqlalchemy.pool.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        deadline = time.monotonic() + wait_seconds
        query = sqlalchemy.text("select pg_try_advisory_lock(:key)")
        while not connection.execute(query, {"key": key}).scalar_one():
            if time.monotonic() >= deadline:
                raise _busy(name, wait_seconds)
            time.sleep(_POLL_SECONDS)
        yield
