"""Named locks that die with their holder, so that a killed step never blocks the next one.

On one machine a lock is an advisory file lock under `DATA_DIR/locks`; for a step with access to a
PostgreSQL catalog it is a session-level advisory lock. Elsewhere, as for fetch on a cluster, the workflow
engine's mutexes are the only guard.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

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
    return TemporaryError(f"another run holds the lock {name} (waited {wait_seconds:g} s); run again when it has finished")


@contextmanager
def _file_lock(settings: Settings, name: str, wait_seconds: float) -> Iterator[None]:
    folder = settings.data_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    # The fallback for file systems without flock would outlive its holder.
    held = FileLock(folder / f"{name}.lock", poll_interval=_POLL_SECONDS, fallback_to_soft=False)
    try:
        held.acquire(wait_seconds)
    except Timeout:
        raise _busy(name, wait_seconds) from None
    try:
        yield
    finally:
        held.release()


@contextmanager
def _postgres_lock(settings: Settings, name: str, wait_seconds: float) -> Iterator[None]:
    import sqlalchemy  # the fetch image has neither SQLAlchemy nor the password

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
