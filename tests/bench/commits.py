"""`make bench-commits`: the step `load` on COMMITS generated commits, on one machine, written to commits.md beside it.

The landings are what a first fetch of REPOS repositories leaves: one each, newest commit first, items of
GitHub's shape in pages of 100. Everything about a commit follows from its repository and its number, so
what was loaded can be checked without keeping what was generated.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import psutil
from pyiceberg.catalog import load_catalog

from lakepulse.catalog import pyiceberg_properties
from lakepulse.data_dir import open_data_dir
from lakepulse.names import CATALOG, RAW
from lakepulse.settings import Settings
from lakepulse.store import open_store
from lakepulse_fetch.landing_writer import Landing
from lakepulse_fetch.limits import Meter
from lakepulse_fetch.state import ScopeState
from lakepulse_simulator import items
from lakepulse_simulator.world import WEB_FLOW, Commit, Person, Repo, User
from tests.bench.pipeline import PAGE, watched_memory

COMMITS = int(os.environ.get("COMMITS") or 5_000_000)
REPOS = 50
REPORT = Path(__file__).with_name("commits.md")
_SOURCE = "github_commits"
_ROOT = Path(__file__).resolve().parents[2]
_MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
_SECONDS_APART = 1_000
_PEOPLE = [Person(f"Dev {n}", f"dev-{n}@example.org", User(f"dev-{n}", 1_000 + n)) for n in range(2_000)]


def _shares(commits: int, repos: int) -> dict[int, int]:
    """Commits of each repository, by its number."""
    return {number: commits // repos + (number < commits % repos) for number in range(repos)}


def _name(number: int) -> str:
    return f"acme/lake-{number:03d}"


def _repo(number: int) -> Repo:
    return Repo(_name(number), 1_000_000 + number, 0, 0, 0)


def _sha(number: int, place: int) -> str:
    return hashlib.sha1(f"{number}/{place}".encode(), usedforsecurity=False).hexdigest()


def _commit(number: int, place: int) -> Commit:
    """The repository's commit at a place, 0 being its first."""
    sha, when = _sha(number, place), int(_MOMENT.timestamp()) - 200_000_000 + place * _SECONDS_APART
    author = _PEOPLE[(place * 7_919 + number) % len(_PEOPLE)]
    message = f"Change {place} of table {sha[:12]}\n\nIt moves {place % 97} files and removes {place % 89} of them."
    parents = (_sha(number, place - 1),) if place else ()
    return Commit(sha, author, when, author if place % 3 else WEB_FLOW, when + place % 1_000, message, parents)


def _land(settings: Settings, share: tuple[int, int]) -> None:
    """Write a repository's landing; one that was begun goes on, one that is there stays."""
    number, commits = share
    repo, meter = _repo(number), Meter()
    landing = Landing(open_store(settings), _SOURCE, repo.name, ScopeState, now=lambda: _MOMENT, meter=meter)
    if landing.state.landing:
        return
    for last in range(commits - landing.pages * PAGE, 0, -PAGE):
        places = range(last - 1, max(-1, last - 1 - PAGE), -1)
        meter.requests += 1
        landing.add([items._commit(repo, _commit(number, place)) for place in places])
    run = {"run_id": settings.run_id, "as_of": settings.as_of}
    newest = datetime.fromtimestamp(_commit(number, commits - 1).committed_at, UTC)
    landing.finish(run, upstream_id=repo.id, upstream_name=repo.name, last_event_at=newest)


def _digest(share: tuple[int, int]) -> str:
    """MD5 over a repository's generated commits in the order of their ids, one line each, as `_FOUND` has it of a table."""
    number, commits = share
    lines = []
    for place in range(commits):
        item = _commit(number, place)
        who = item.author.user
        told = (item.sha, _repo(number).id, who and who.login, item.authored_at, item.committed_at, *item.parents, item.message)
        lines.append(" ".join(map(str, told)))
    return hashlib.md5("\n".join(sorted(lines)).encode(), usedforsecurity=False).hexdigest()


_FOUND = """
    SELECT repo, count(*), count(DISTINCT sha), count(*) FILTER (is_reachable), md5(string_agg(line, chr(10) ORDER BY line))
    FROM (
        SELECT *, concat_ws(' ', sha, repo_id, author_login, epoch(authored_at)::BIGINT, epoch(committed_at)::BIGINT,
                            parents[1], message) AS line
        FROM commits
    ) GROUP BY repo
"""
_READ = ("repo", "sha", "repo_id", "author_login", "authored_at", "committed_at", "parents", "message", "is_reachable")


def _spread(work: Callable[[tuple[int, int]], Any], commits: int, repos: int) -> Iterator[Any]:
    """`work` on each repository's number and commits, a process a core; results in the order of the numbers."""
    # Not forked: an object store has threads.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, _shares(commits, repos).items())


def generate(settings: Settings, commits: int, repos: int) -> None:
    """Write landings with so many commits to the store of `settings`, a folder or S3."""
    open_data_dir(settings)
    for _ in _spread(partial(_land, settings), commits, repos):
        pass


def check(settings: Settings, commits: int, repos: int) -> None:
    """Compare raw.commits with what was generated, every row and no other.

    Raises:
        AssertionError: they differ; it names the repository.
    """
    table = load_catalog(CATALOG, **pyiceberg_properties(settings)).load_table(f"{RAW}.commits")
    with duckdb.connect() as connection:
        connection.register("commits", table.scan(selected_fields=_READ).to_arrow_batch_reader())
        found = {repo: tuple(row) for repo, *row in connection.execute(_FOUND).fetchall()}
    shares = _shares(commits, repos)
    due = {_name(n): (shares[n],) * 3 + (digest,) for n, digest in enumerate(_spread(_digest, commits, repos)) if shares[n]}
    for repo in sorted(due.keys() | found.keys()):
        assert found.get(repo) == due.get(repo), f"{repo}: {found.get(repo)} in the table, {due.get(repo)} generated"


def _gigabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def main() -> int:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.commits", description=__doc__.split("\n")[0])
    parser.add_argument("--folder", help="keep the landings there, and load again what it holds of an earlier run")
    chosen = parser.parse_args().folder
    with nullcontext(chosen) if chosen else tempfile.TemporaryDirectory() as folder:
        data = Path(folder).absolute() / "data"
        for left in ("warehouse", "locks", "runs"):
            shutil.rmtree(data / left, ignore_errors=True)
        (data / "catalog.db").unlink(missing_ok=True)
        settings = Settings(_env_file=None, data_dir=data, demo=True, run_id="bench")
        generate(settings, COMMITS, REPOS)
        busy = os.getloadavg()[0]
        own = {"DATA_DIR": str(data), "DEMO": "1", "RUN_ID": "bench", "SPARK_LOCAL_DIRS": str(data.with_name("scratch"))}
        peaks: dict[str, float] = {}
        began = time.monotonic()
        with watched_memory(peaks):
            command = [sys.executable, "-m", "spark_apps.load", "--tables", "commits"]
            done = subprocess.run(command, env=os.environ | own, cwd=_ROOT, check=False)
        loaded = time.monotonic() - began
        if done.returncode:
            return done.returncode
        check(settings, COMMITS, REPOS)
        landings, tables = _gigabytes(data / "landing"), _gigabytes(data / "warehouse")
    lines = [
        "# A load of generated commits on one machine",
        "",
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
            f"Python {platform.python_version()}; load average before the load: {busy:.1f}. Written by `make bench-commits`."
        ),
        "",
        "| commits | repositories | landings, GB | load, seconds | commits a second | peak memory, GB | tables, GB |",
        "|---|---|---|---|---|---|---|",
        (
            f"| {COMMITS:,} | {REPOS} | {landings:.2f} | {loaded:.0f} | {COMMITS / loaded:,.0f} | {peaks['load'] / 1e3:.2f} "
            f"| {tables:.2f} |"
        ),
        "",
        "- Memory is what is resident of all the step's processes together: Python and the JVM, with default settings.",
        "- Rows, distinct ids and a digest of every row, by repository, are those that were generated, read by PyIceberg.",
        "",
    ]
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
