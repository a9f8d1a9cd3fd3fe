"""A fetch against the simulator, in one process, and what its landings amount to.

`Lab` talks to the simulator's request handler without a socket and keeps the lake in memory, so
that thousands of sequences take minutes. `Kill` ends a run at any write or request as a signal
would: nothing after it is done.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import httpx
import obstore
import pytest
from obstore.store import MemoryStore

from lakepulse.landing import Manifest, complete_landings, landing_path, scope_slug, unpack_lines
from lakepulse.outcome import StepError
from lakepulse.projects import Project
from lakepulse.reports import StepReport, read_reports
from lakepulse.settings import Settings
from lakepulse.sources import SOURCES
from lakepulse.store import Store
from lakepulse_fetch.clock import Clock
from lakepulse_fetch.fetch import fetch
from lakepulse_fetch.sources import all_sources
from lakepulse_fetch.visit import Source
from lakepulse_simulator import World, items
from lakepulse_simulator.server import Logged, Request, Simulator, hash_auth
from lakepulse_simulator.world import Repo

GITHUB = ("github_repo", "github_commits", "github_issues", "github_comments", "github_pulls", "github_releases")
DOWNLOADS = ("pypistats_overall", "pypistats_python_minor", "pypistats_system")
TOKEN = "token-one"
CORE = (*GITHUB, *DOWNLOADS, "pypi_releases", "clickhouse_versions")

KEY = {
    "github_commits": "sha",
    "github_issues": "number",
    "github_comments": "id",
    "github_pulls": "number",
    "github_releases": "id",
    "pypi_releases": "filename",
}


class Killed(BaseException):
    """Plays kill -9: no handler of ours may stop it."""


class Kill:
    """Ends the process at its n-th store write or request, before or after that was done."""

    def __init__(self, at: int, is_after: bool) -> None:
        self.left, self.is_after, self.is_dead = at, is_after, False
        self._guard = threading.Lock()

    @contextmanager
    def around(self) -> Iterator[None]:
        with self._guard:
            if self.is_dead:
                raise Killed
            self.left -= 1
            is_now = self.left == 0
            if is_now and not self.is_after:
                self.is_dead = True
                raise Killed
        yield
        if is_now:
            self.is_dead = True
            raise Killed


class LabClock(Clock):
    """Local time that can be wrong; waiting takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.skew, self.slept = world, timedelta(), 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.now, UTC) + self.skew

    def monotonic(self) -> float:
        return super().monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class Line(httpx.BaseTransport):
    """Hands requests to the simulator's handler; faults below HTTP become httpx's own errors."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.kill: Kill | None = None
        self.meanwhile: tuple[int, Callable[[], None]] | None = None
        """A change of the world, after so many more requests."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self.kill.around() if self.kill else nullcontext():
            answer = self._answer(request)
        if self.meanwhile:
            left, change = self.meanwhile
            self.meanwhile = (left - 1, change) if left > 1 else None
            if left <= 1:
                change()
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        auth = hash_auth(request.headers.get("Authorization"))
        target = request.url.raw_path.decode()
        query = dict(request.url.params)
        in_flight, is_over = self.simulator.enter(auth)
        received = Request(self.simulator, "GET", request.url.path, query, request.headers, auth, is_over, in_flight)
        fault = self.simulator.faults.pick(f"GET {target}", received.page_size)
        answer, quota = received.answer(fault)
        entry = Logged(
            "GET",
            target,
            answer.status,
            quota,
            answer.rows,
            auth,
            fault.kind if fault else None,
            "if-none-match" in request.headers,
            in_flight,
            0.0,
        )
        self.simulator.leave(auth, entry)
        kind = fault.kind if fault else ""
        if kind in {"reset", "truncate", "reset_body"}:
            raise httpx.ReadError("connection reset", request=request)
        if kind == "wrong_length":
            raise httpx.RemoteProtocolError("body ended early", request=request)
        date_header = format_datetime(datetime.fromtimestamp(self.simulator.world.now, UTC), usegmt=True)
        return httpx.Response(
            answer.status, headers={**answer.headers, "date": date_header}, stream=httpx.ByteStream(answer.body)
        )


class Lab:
    """A world, a simulator for it, a lake, and runs of fetch between them."""

    def __init__(self, world: World, page_size: int = 100, token: str | None = TOKEN, folder: Path | None = None) -> None:
        self.world, self.page_size = world, page_size
        self.simulator = Simulator(world)
        self.line = Line(self.simulator)
        self.store = cast("Store", MemoryStore())
        self.clock = LabClock(world)
        self.folder = folder or Path("unused")
        self.token = token
        self.projects = (Project("Acme", tuple(repo.name for repo in world.repos.values()), tuple(world.packages)),)
        self.runs = 0

    def close(self) -> None:
        self.simulator._server.server_close()

    def settings(self, **changes: Any) -> Settings:
        self.runs += 1
        base: dict[str, Any] = {
            "github_api_url": "http://simulator/github",
            "pypistats_api_url": "http://simulator/pypistats/api",
            "pypi_simple_url": "http://simulator/simple",
            "clickhouse_url": "http://simulator/clickhouse",
            "github_token": self.token,
            "as_of": self.world.date,
            "run_id": f"run-{self.runs}",
            "data_dir": self.folder,
        }
        return Settings(_env_file=None, **(base | changes))

    def run(self, sources: Iterable[str | Source] = CORE, kill: Kill | None = None, **changes: Any) -> None:
        """One fetch, of sources by name or as they are given.

        Raises:
            StepError: as `fetch` does.
            Killed: as `kill` says.
        """
        self.line.kill = kill
        known = all_sources()
        given = [known[source] if isinstance(source, str) else source for source in sources]
        chosen = sorted(given, key=lambda source: list(known).index(source.name))
        with pytest.MonkeyPatch.context() as patch:
            if kill:
                _kill_writes(patch, kill)
            fetch(
                self.settings(**changes),
                chosen,
                self.projects,
                store=self.store,
                clock=self.clock,
                transport=self.line,
                page_size=self.page_size,
                locks=lambda _settings, _name: nullcontext(),
            )

    def spent(self) -> tuple[int, int]:
        """Requests to GitHub and quota since the last call."""
        entries = [entry for entry in self.simulator.log if entry.target.startswith("/github/")]
        self.simulator.log.clear()
        return len(entries), sum(entry.quota for entry in entries)

    def report(self) -> StepReport:
        """The last run's."""
        return read_reports(self.store, f"run-{self.runs}")[-1]

    def manifests(self, source: str, scope: str) -> list[Manifest]:
        return list(complete_landings(self.store, source, scope_slug(scope)))


def _kill_writes(patch: pytest.MonkeyPatch, kill: Kill) -> None:
    put, delete = obstore.put, obstore.delete

    def dying_put(*arguments: Any, **more: Any) -> Any:
        with kill.around():
            return put(*arguments, **more)

    def dying_delete(*arguments: Any, **more: Any) -> Any:
        with kill.around():
            return delete(*arguments, **more)

    patch.setattr(obstore, "put", dying_put)
    patch.setattr(obstore, "delete", dying_delete)


def rows(store: Store, manifest: Manifest) -> list[Any]:
    """Every line of a landing, in order."""
    folder = landing_path(manifest.landing_id)
    found: list[Any] = []
    for page in manifest.pages:
        lines = unpack_lines(bytes(obstore.get(store, f"{folder}/{page.file}").bytes()))
        assert len(lines) == page.rows
        found += lines
    return found


def keys(store: Store, manifest: Manifest) -> set[Any]:
    data = bytes(obstore.get(store, f"{landing_path(manifest.landing_id)}/keys.jsonl.gz").bytes())
    return set(cast("list[Any]", unpack_lines(data)))


def landed(store: Store, source: str, scope: str) -> dict[Any, Any]:
    """Key -> newest item, of what a scope has by its landings."""
    assert source in SOURCES
    found: dict[Any, Any] = {}
    for manifest in complete_landings(store, source, scope_slug(scope)):
        for item in rows(store, manifest):
            if source in KEY:
                key = item[KEY[source]]
            elif source == "github_repo":
                key = manifest.as_of.isoformat()
            else:
                key = (item["version"] if source == "clickhouse_versions" else item["category"], item["date"])
            found[key] = item
        if manifest.has_keys:
            present = keys(store, manifest)
            found = {key: item for key, item in found.items() if key in present}
    return found


def truth(world: World, source: str, scope: str) -> dict[Any, Any]:
    """The same, of what upstream has at this moment."""
    if source == "pypi_releases":
        return dict.fromkeys(world.package(scope).files)
    if source in DOWNLOADS:
        served = world.package(scope).served(source.removeprefix("pypistats_"), world.date)
        return {
            (category, day.isoformat()): {"category": category, "date": day.isoformat(), "downloads": count}
            for category, day, count in served
        }
    if source == "clickhouse_versions":
        days = world.package(scope).served_versions(date.min, world.date - timedelta(days=1))
        return {
            (version, day.isoformat()): {"date": day.isoformat(), "version": version, "downloads": count}
            for day, version, count in days
        }
    repo = world.repo(scope)
    return {_key(source, item, world.date): item for item in _items(repo, source)}


def _key(source: str, item: Any, day: date) -> Any:
    return day.isoformat() if source == "github_repo" else item[KEY[source]]


def _items(repo: Repo, source: str) -> list[Any]:
    match source:
        case "github_repo":
            made = [items.repository(repo)]
        case "github_commits":
            made = [items.commit(repo, commit) for commit in repo.log(repo.head)]
        case "github_issues":
            made = [items.issue(repo, issue) for issue in repo.issues.values()]
        case "github_comments":
            made = [items.comment(repo, comment) for comment in repo.comments.values()]
        case "github_pulls":
            made = [items.pull(repo, issue) for issue in repo.issues.values() if issue.is_pull]
        case "github_releases":
            made = [items.release(repo, release) for release in repo.releases.values() if not release.draft]
        case _:
            raise ValueError(f"{source}: add what upstream has of it to tests/fetch/lab.py")
    return [json.loads(item) for item in made]


def ends(run: Any) -> str:
    """How a run ended: `done`, `killed`, or the step error's text."""
    try:
        run()
    except Killed:
        return "killed"
    except StepError as error:
        return str(error)
    return "done"
