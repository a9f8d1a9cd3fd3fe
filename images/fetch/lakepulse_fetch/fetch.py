"""One fetch: which scopes are visited, in what order, at what cost, and how it ended."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

import httpx
import structlog

from lakepulse.landing import Manifest, scope_slug
from lakepulse.locks import lock
from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line
from lakepulse.projects import Project
from lakepulse.reports import StepReport, write_report
from lakepulse.settings import Settings
from lakepulse.store import Store, open_store
from lakepulse_fetch.apis import open_api, share
from lakepulse_fetch.clock import Clock
from lakepulse_fetch.display import Display
from lakepulse_fetch.limits import QuotaExhaustedError
from lakepulse_fetch.state import AnyState, read_model, state_path
from lakepulse_fetch.transport import Api, UnreachableError
from lakepulse_fetch.visit import PAGE_SIZE, EndedError, Source, Visit

log = structlog.get_logger()

_ANONYMOUS_QUOTA = 60  # GitHub's requests an hour without a token


@dataclass
class _Outcome:
    """What the visits landed, and what failed."""

    manifests: list[Manifest] = field(default_factory=list)
    failures: list[tuple[str | None, StepError]] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _Task:
    source: Source
    scope: str

    @property
    def name(self) -> str:
        return f"{self.source.name} {self.scope}"


def tasks_of(settings: Settings, sources: Sequence[Source], projects: tuple[Project, ...]) -> list[_Task]:
    """Every source and scope of this shard, in the order of `sources`."""
    tasks = []
    for source in sources:
        index, count = share(source.upstream, settings)
        tasks += [
            _Task(source, scope) for scope in source.scopes(projects) if zlib.crc32(scope.lower().encode()) % count == index
        ]
    return tasks


def fetch(
    settings: Settings,
    sources: Sequence[Source],
    projects: tuple[Project, ...],
    *,
    name: str = "fetch",
    progress: Display | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
    page_size: int = PAGE_SIZE,
    locks: Callable[[Settings, str], AbstractContextManager[None]] = lock,
) -> None:
    """Visit every scope of `sources` once and write the step's report.

    A scope that fails does not stop the others.

    Raises:
        TemporaryError: some failed, and a later run may succeed.
        PermanentError: some failed for good.
    """
    clock = clock or Clock()
    began = clock.now()
    outcome = _Outcome()
    store = store or open_store(settings)
    error: StepError | None = None
    try:
        run = _Run(settings, store, clock, page_size, locks, progress or Display(), outcome)
        run.visit_all(tasks_of(settings, sources, projects), transport)
        error = _verdict(outcome)
    except StepError as failure:
        error = failure
    write_report(
        store,
        StepReport(
            run_id=settings.run_id,
            step=name,
            outcome="failed" if error else "succeeded",
            started_at=began,
            ended_at=clock.now(),
            rows=sum(manifest.rows for manifest in outcome.manifests),
            requests=sum(manifest.requests for manifest in outcome.manifests),
            quota=sum(manifest.quota for manifest in outcome.manifests),
            message=one_line(error) if error else None,
            details={
                "lists": [_report(manifest) for manifest in outcome.manifests],
                "not_reached": sorted(outcome.unreached),
            },
        ),
    )
    if error:
        raise error


def _report(manifest: Manifest) -> dict[str, object]:
    return {
        "source": manifest.source,
        "scope": manifest.scope,
        "status": manifest.status,
        "status_detail": manifest.status_detail,
        "rows": manifest.rows,
        "requests": manifest.requests,
        "quota": manifest.quota,
    }


def _verdict(outcome: _Outcome) -> StepError | None:
    """The one line about what failed; temporary if any of it is."""
    if not outcome.failures:
        return None
    by_cause: dict[str, list[str]] = {}
    for name, failure in outcome.failures:
        by_cause.setdefault(str(failure), []).extend([name] if name else [])
    line = "; ".join(f"{_few(names)}: {cause}" if names else cause for cause, names in by_cause.items())
    is_temporary = any(isinstance(failure, TemporaryError) for _, failure in outcome.failures)
    kind = TemporaryError if is_temporary else PermanentError
    return kind(line)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


class _Queue:
    """Tasks that several threads take one after another."""

    def __init__(self, tasks: list[_Task]) -> None:
        self._left = tasks[::-1]
        self._guard = threading.Lock()

    def take(self) -> tuple[_Task, int] | None:
        """The next task, and how many were left including it."""
        with self._guard:
            left = len(self._left)
            return (self._left.pop(), left) if left else None

    def drop(self) -> None:
        """Discard the rest."""
        with self._guard:
            self._left.clear()


@dataclass
class _Run:
    settings: Settings
    store: Store
    clock: Clock
    page_size: int
    locks: Callable[[Settings, str], AbstractContextManager[None]]
    progress: Display
    outcome: _Outcome
    is_stopped: threading.Event = field(default_factory=threading.Event)

    def visit_all(self, tasks: list[_Task], transport: httpx.BaseTransport | None) -> None:
        """Visit the scopes: the APIs side by side, each with as many threads as it has tokens."""
        self.progress.begin(len(tasks))
        with ExitStack() as stack:
            workers: list[tuple[Api, _Queue]] = []
            for name in dict.fromkeys(task.source.upstream for task in tasks):
                api = stack.enter_context(open_api(name, self.settings, self.clock, transport))
                queue = _Queue(self._in_order(api, [task for task in tasks if task.source.upstream == name]))
                workers += [(api, queue)] * len(api.limits)
            with ThreadPoolExecutor(max_workers=len(workers) or 1) as pool:
                futures = [pool.submit(self._work, api, queue) for api, queue in workers]
                try:
                    for future in futures:
                        future.result()
                except BaseException:
                    self._halt()
                    raise
            for api in {id(api): api for api, _ in workers}.values():
                self._report_anonymous(api, [task for task in tasks if task.source.upstream == api.name])

    def _halt(self) -> None:
        self.is_stopped.set()
        self.clock.stop()

    def _in_order(self, api: Api, tasks: list[_Task]) -> list[_Task]:
        """By rank; without a token those with the fewest visits first."""
        return sorted(tasks, key=lambda task: (task.source.rank, self._visits(task) if api.limits.is_anonymous else 0))

    def _visits(self, task: _Task) -> int:
        state = read_model(self.store, state_path(task.source.name, task.scope), AnyState)
        return state.landing if state else 0

    def _work(self, api: Api, queue: _Queue) -> None:
        try:
            while not self.is_stopped.is_set() and (taken := queue.take()):
                self._visit(api, queue, *taken)
                self.progress.advance()
        except BaseException:
            self._halt()
            raise

    def _visit(self, api: Api, queue: _Queue, task: _Task, left: int) -> None:
        budget = None
        if api.limits.is_anonymous:
            quota = _ANONYMOUS_QUOTA if api.limits.remaining is None else api.limits.remaining
            budget = max(1, quota // left)
        visit = Visit(
            self.settings,
            self.store,
            api,
            task.source,
            task.scope,
            self.clock,
            budget=budget,
            page_size=self.page_size,
            progress=self.progress.say,
        )
        self.progress.say(task.name)
        try:
            with self.locks(self.settings, f"fetch-{task.source.name}-{scope_slug(task.scope)}"):
                try:
                    task.source.visit(visit)
                except EndedError as ended:
                    visit.end(ended)
        except QuotaExhaustedError:
            with self.outcome.guard:
                self.outcome.unreached.append(task.name)
        except UnreachableError as error:
            queue.drop()
            with self.outcome.guard:
                self.outcome.failures.append((None, error))
        except StepError as error:
            log.error("visit failed", source=task.source.name, scope=task.scope, why=one_line(error))
            with self.outcome.guard:
                self.outcome.failures.append((task.name, error))
        with self.outcome.guard:
            self.outcome.manifests += visit.manifests
        for manifest in visit.manifests:
            log.info(
                "fetched", landing=manifest.landing_id, rows=manifest.rows, requests=manifest.requests, quota=manifest.quota
            )

    def _report_anonymous(self, api: Api, tasks: list[_Task]) -> None:
        """Warn about what the hour's requests without a token did not reach.

        Raises:
            TemporaryError: nothing at all was reached.
        """
        if not api.limits.is_anonymous or api.limits.remaining is None:
            return
        names = {task.name for task in tasks}
        unreached = names & set(self.outcome.unreached)
        last = {(manifest.source, manifest.scope): manifest for manifest in self.outcome.manifests}
        log.warning(
            "no GITHUB_TOKEN: history is limited to what 60 requests an hour reach; run again for more, or set a token",
            lists=len(names),
            incomplete=sum(1 for manifest in last.values() if manifest.covered_from or manifest.covered_to),
            not_reached=len(unreached),
        )
        if names and unreached == names:
            raise TemporaryError(
                f"{api.name}: no requests without a token are left this hour; set GITHUB_TOKEN or run again later"
            )
