"""Build gold with dbt and test it, apart from what is published."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import structlog
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError

from lakepulse.data_dir import open_data_dir
from lakepulse.locks import lock
from lakepulse.names import RAW
from lakepulse.outcome import PermanentError, StepError, TemporaryError, one_line
from lakepulse.projects import Project, load_projects
from lakepulse.settings import Settings
from lakepulse_dbt.build_store import GOLD_BUILD, GOLD_LOCK, BuildStore, GoldTable, Passed, RawTable, State, open_build_store
from lakepulse_dbt.declared_figures import check_rendered as check_figures
from lakepulse_dbt.iceberg_source import READS_VARIABLE, Read, Reads
from lakepulse_dbt.raw_tables import check_rendered, declared_tables, project_folder
from lakepulse_dbt.steps import reported
from lakepulse_dbt.warehouse import open_catalog

log = structlog.get_logger()

_SHOWN = 10
_LEDGER = "landings"
_FRESH = timedelta(hours=1)
"""The unit in which the age of data is counted."""
_NO_ROOM = "No space left on device"
_UNREACHABLE = re.compile(r"Max retries exceeded|Connection refused|TrinoConnectionError|SERVER_STARTING_UP|NO_NODES_AVAILABLE")


def build(settings: Settings) -> None:
    """Run dbt's seeds, models and data tests on one set of raw snapshots.

    What passed is recorded beside the models, for `publish`. An earlier build is continued if the
    same code built it from the same tables, else everything is rebuilt. If it was of the same date
    and project list too, only what follows from raw tables that changed since is built and tested.

    Raises:
        PermanentError: a model or a data test failed (the message names it), or the project needs `make render`.
        TemporaryError: another run builds or publishes, or the engine cannot be reached.
    """
    projects = load_projects(settings.projects)
    check_rendered(project_folder())
    check_figures(project_folder())
    open_data_dir(settings)
    with reported(settings, "build") as report, lock(settings, GOLD_LOCK):
        catalog = open_catalog(settings)
        store = open_build_store(settings, catalog)
        listed = _listed_projects(projects)
        state = State(
            code_version=code_version(project_folder()),
            raw=raw_tables(catalog, declared_tables(project_folder())),
            inputs=_inputs(listed),
        )
        before = store.state()
        started = datetime.now(UTC)
        changed = _changed(before, state, settings, started)
        if before and before.passed and changed == [] and _is_intact(store, before.passed.tables):
            store.save(before.model_copy(update={"passed": before.passed.model_copy(update={"run_id": settings.run_id})}))
            report.rows = sum(table.rows for table in before.passed.tables)
            report.details |= {"models": 0, "tests": 0, "failures": []}
            report.details["tables"] = {table.name: table.rows for table in before.passed.tables}
            log.info(
                "nothing new to build from", run_id=settings.run_id, as_of=str(settings.as_of), built_by=before.passed.run_id
            )
            return
        dbt = _Dbt(settings, listed, store, state)
        from_scratch = before is None or not _continues(before, state)
        result = dbt.build(from_scratch, changed)
        if result.errors and not from_scratch and not result.is_outside:
            log.warning("could not continue the earlier build; rebuilding everything", error=result.errors[0])
            result = dbt.build(from_scratch=True, changed=None)
        report.details |= {"models": result.models, "tests": result.tests, "failures": result.failures + result.errors}
        if problem := result.problem():
            raise problem
        published = {table.name: table.published for table in before.passed.tables} if before and before.passed else {}
        tables = tuple(
            store.pinned(table).model_copy(
                update={"published": None if table.name in result.built else published.get(table.name)}
            )
            for table in result.gold
        )
        passed = Passed(run_id=settings.run_id, as_of=settings.as_of, is_demo=settings.demo, tables=tables, built_at=started)
        store.save(state.model_copy(update={"passed": passed}))
        report.rows = sum(table.rows for table in tables)
        report.details["tables"] = {table.name: table.rows for table in tables}
        log.info("built gold", run_id=settings.run_id, as_of=str(settings.as_of), tables=len(tables), rows=report.rows)


def code_version(project: Path) -> str:
    """12 hex digits that change with everything that decides the content of the build's tables."""
    files = [
        path
        for path in sorted(project.rglob("*"))
        if path.suffix in {".sql", ".yml", ".csv"} and path.relative_to(project).parts[0] not in {"target", "logs"}
    ]
    files += [Path(__file__).with_name(name) for name in ("iceberg_source.py", "raw_tables.py")]
    digest = hashlib.sha256(version("duckdb").encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def raw_tables(catalog: Catalog, names: Iterable[str]) -> dict[str, RawTable]:
    """Those of the raw tables that exist, at their current snapshots."""
    found: dict[str, RawTable] = {}
    for name in names:
        try:
            table = catalog.load_table(f"{RAW}.{name}")
        except NoSuchTableError:
            continue
        snapshot = table.current_snapshot()
        found[name] = RawTable(
            uuid=str(table.metadata.table_uuid),
            schema_id=table.metadata.current_schema_id,
            sequence_number=(snapshot.sequence_number or 0) if snapshot else 0,
            snapshot_id=snapshot.snapshot_id if snapshot else None,
            has_new_columns=bool(snapshot and snapshot.schema_id != table.metadata.current_schema_id),
        )
    return found


def _listed_projects(projects: tuple[Project, ...]) -> list[dict[str, str]]:
    """The project list as the models take it: a row for each repository and package."""
    return [
        {"project": project.name, "kind": kind, "name": name}
        for project in projects
        for kind, names in (("repo", project.repos), ("package", project.packages))
        for name in names
    ]


def _inputs(listed: list[dict[str, str]]) -> str:
    digest = hashlib.sha256(json.dumps(listed).encode())
    for name in ("publish.py", "warehouse.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


def _changed(before: State | None, now: State, settings: Settings, started: datetime) -> list[str] | None:
    """The raw tables that changed since a build that passed; None if everything else is not the same.

    What says how old data is follows from the ledger, and is built again at least once an hour.
    """
    if before is None or before.passed is None or not _continues(before, now):
        return None
    passed = before.passed
    if (before.inputs, passed.as_of, passed.is_demo) != (now.inputs, settings.as_of, settings.demo):
        return None
    is_old = passed.built_at is None or started - passed.built_at > _FRESH
    return sorted(name for name, table in now.raw.items() if before.raw.get(name) != table or (is_old and name == _LEDGER))


def _is_intact(store: BuildStore, tables: tuple[GoldTable, ...]) -> bool:
    """Whether the store still holds what a build left there."""
    try:
        return all(store.pinned(table).rows == table.rows for table in tables)
    except (NoSuchTableError, duckdb.Error):
        return False


def _continues(before: State, now: State) -> bool:
    """Whether the earlier build lacks nothing but the rows loaded since.

    False after a change of code or of a raw table's columns, or when a raw table was dropped, recreated or rolled back.
    """
    return before.code_version == now.code_version and all(
        (then := now.raw.get(name)) is not None
        and (then.uuid, then.schema_id) == (earlier.uuid, earlier.schema_id)
        and then.sequence_number >= earlier.sequence_number
        for name, earlier in before.raw.items()
    )


@dataclass
class _Result:
    """How dbt ended. `failures` are failed data tests, `errors` everything that could not run.

    `gold` are all gold tables, `built` the names of those that were built now.
    """

    models: int = 0
    tests: int = 0
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    gold: list[GoldTable] = field(default_factory=list)
    built: set[str] = field(default_factory=set)

    @property
    def is_outside(self) -> bool:
        """Whether the cause is not in the tables, so that a full rebuild would end the same way."""
        return any(_NO_ROOM in error or _UNREACHABLE.search(error) for error in self.errors)

    def problem(self) -> StepError | None:
        if self.errors:
            text = f"dbt could not build: {_listed(self.errors)}"
            if any(_NO_ROOM in error for error in self.errors):
                return PermanentError(f"{text}; nothing is published; free space, then run again")
            if any(_UNREACHABLE.search(error) for error in self.errors):
                return TemporaryError(f"{text}; nothing is published; run again when the engine is back")
            return PermanentError(f"{text}; nothing is published")
        if self.failures:
            return PermanentError(f"data tests failed: {_listed(self.failures)}; nothing is published")
        return None


def _listed(items: list[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more


class _Dbt:
    """dbt, run in this process."""

    def __init__(self, settings: Settings, listed: list[dict[str, str]], store: BuildStore, state: State) -> None:
        self.store = store
        self.state = state
        variables = {
            "as_of": settings.as_of.isoformat(),
            "run_id": settings.run_id,
            "is_demo": settings.demo,
            "projects": listed,
            "raw_snapshots": {name: table.pin for name, table in state.raw.items()},
        }
        project = project_folder()
        self.variables = ["--vars", json.dumps(variables)]
        self.options = [
            *("--project-dir", str(project), "--profiles-dir", str(project), "--target", store.target),
            *("--target-path", str(store.folder / "target"), "--log-path", str(store.folder / "logs")),
            *("--quiet", "--no-use-colors", "--no-version-check", "--no-send-anonymous-usage-stats"),
        ]
        os.environ.update(store.environment(settings))

    def build(self, from_scratch: bool, changed: list[str] | None) -> _Result:
        """Build and test everything, or what follows from the raw tables `changed`."""
        full_refresh = from_scratch and not self.store.reset()
        # From here on the store is half built: no run has passed.
        self.store.save(self.state)
        # Without the run's variables: dbt parses everything again when one of them changes, and they decide
        # the content of models, never which models there are.
        manifest, error = self._invoke(["parse", *(["--no-partial-parse"] if from_scratch else [])])
        if error:
            return _Result(errors=[error])
        os.environ[READS_VARIABLE] = self._reads(manifest).model_dump_json()
        arguments = ["build", "--exclude-resource-type", "unit_test", *(["--full-refresh"] if full_refresh else [])]
        if changed:
            arguments += ["--select", *(f"source:{RAW}.{name}+" for name in changed)]
        outcome, error = self._invoke([*arguments, *self.variables], manifest)
        self.store.release()
        result = _Result(errors=[error] if error and outcome is None else [])
        for entry in outcome.results if outcome else ():
            kind, name, status = str(entry.node.resource_type), entry.node.name, str(entry.status)
            result.models += kind == "model"
            result.built |= {entry.node.alias} if kind == "model" and entry.node.schema == GOLD_BUILD else set()
            result.tests += kind == "test"
            if kind == "test" and status == "fail":
                result.failures.append(f"{name} ({entry.failures} rows)")
            elif status in {"error", "fail", "runtime error"}:
                result.errors.append(f"{name}: {_why(entry.message, entry.node.original_file_path)}")
        result.gold = _gold(manifest)
        return result

    def _invoke(self, arguments: list[str], manifest: Any = None) -> tuple[Any, str | None]:
        from dbt.cli.main import dbtRunner  # slow to import, and publish does not need it

        # On a full disk Python would print a traceback for each line of dbt's log: thousands before our one line.
        logging.raiseExceptions = False
        # dbt logs to stdout, which is reserved for results.
        with contextlib.redirect_stdout(sys.stderr):
            outcome = dbtRunner(manifest=manifest).invoke([*arguments, *self.options])
        if isinstance(outcome.exception, KeyboardInterrupt | SystemExit):
            raise outcome.exception
        return outcome.result, one_line(outcome.exception) if outcome.exception else None

    def _reads(self, manifest: Any) -> Reads:
        """What dbt has to read of each raw table: only the loads that none of its readers has seen."""
        reads = {name: Read(snapshot_id=table.snapshot_id) for name, table in self.state.raw.items()}
        for source in manifest.sources.values():
            if source.schema == RAW and source.identifier in reads:
                readers = [manifest.nodes.get(key) for key in manifest.child_map[source.unique_id]]
                seen = [
                    self.store.newest_load(node.schema, node.alias)
                    if node is not None and node.config.materialized == "incremental"
                    else None
                    for node in readers
                ]
                newest = [number for number in seen if number is not None]
                if newest and len(newest) == len(seen):
                    reads[source.identifier].above = min(newest)
        return Reads(reads)


_MISMATCH = re.compile(
    r"^\s*\| *(\w+) *\| *([^|]*?) *\| *([^|]*?) *\| *(?:data type mismatch|missing in [^|]+?) *\|", re.MULTILINE
)
"""A row of the table by which dbt says how a model and its contract differ: column, type in the SQL, type in the YAML."""


def _why(message: str, path: str) -> str:
    """dbt's reason in one line; a broken contract as the columns that differ."""
    found = _MISMATCH.findall(message)
    if not found:
        return one_line(message)
    columns = (f"{name} is {sql or 'missing'} in the SQL, {declared or 'missing'} in the YAML" for name, sql, declared in found)
    return f"{path} and the YAML beside it differ: {'; '.join(columns)}"


def _gold(manifest: Any) -> list[GoldTable]:
    """The gold models, by name.

    Raises:
        PermanentError: a gold model does not declare its grain, or does not test it.
    """
    tables = []
    tested = [
        (node.attached_node, node.test_metadata.kwargs["columns"])
        for node in manifest.nodes.values()
        if getattr(node, "test_metadata", None) and node.test_metadata.name == "grain"
    ]
    for node in manifest.nodes.values():
        if str(node.resource_type) == "model" and node.schema == GOLD_BUILD:
            grain = node.config.meta.get("grain")
            if not isinstance(grain, list) or not grain:
                raise PermanentError(f"{node.original_file_path}: a gold model needs its grain: config: meta: grain: [columns]")
            if (node.unique_id, grain) not in tested:
                raise PermanentError(f"{node.original_file_path}: a gold model needs the data test grain of {', '.join(grain)}")
            columns = {column.name: column.description.strip() for column in node.columns.values()}
            tables.append(
                GoldTable(name=node.alias, grain=tuple(grain), description=node.description.strip(), columns=columns, rows=0)
            )
    return sorted(tables, key=lambda table: table.name)
