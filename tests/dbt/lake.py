"""A lake for the tests of this stage: raw Iceberg tables written by PyIceberg, as `spark_apps` shapes them."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa
from pyiceberg.catalog import Catalog

from lakepulse.publications import publications, read_table
from lakepulse.settings import Settings
from lakepulse_dbt.build import build
from lakepulse_dbt.build_store import GOLD_BUILD, DuckDBStore, GoldTable, Passed, State
from lakepulse_dbt.publish import GRAIN, publish
from lakepulse_dbt.raw_tables import declared_tables
from lakepulse_dbt.warehouse import open_catalog
from spark_apps.tables import all_tables

ROOT = Path(__file__).resolve().parents[2]

RAW_TABLES = declared_tables(ROOT / "dbt")

KEYS = {table.name: table.key for table in all_tables().values()} | {
    "landings": ("landing_id",),
    "quarantine": ("landing_id", "page_file", "line"),
}

PROJECTS = """\
projects:
  - name: Lake
    repos: [acme/lake]
    packages: [pylake]
  - name: Pond
    repos: [acme/pond]
"""


def at(day: str, hour: int = 12, minute: int = 0) -> datetime:
    """A moment in UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(hours=hour, minutes=minute)


@dataclasses.dataclass
class Lake:
    """A DATA_DIR of its own, with the settings of one run."""

    folder: Path
    run_id: str = "run-1"
    as_of: str = "2024-03-10"
    projects: str = PROJECTS
    load_seq: int = 0
    extra: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def environment(self) -> dict[str, str]:
        """What a step of the run finds in its environment."""
        listed = self.folder / "projects.yaml"
        listed.write_text(self.projects, encoding="utf-8")
        return {
            "DATA_DIR": str(self.data_dir),
            "PROJECTS": str(listed),
            "RUN_ID": self.run_id,
            "AS_OF": self.as_of,
            "DEMO": "1",
        } | self.extra

    def settings(self) -> Settings:
        environment = {key.lower(): value for key, value in self.environment().items()}
        return Settings(_env_file=None, **environment)  # type: ignore[arg-type]

    def catalog(self) -> Catalog:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        catalog = open_catalog(self.settings())
        catalog.create_namespace_if_not_exists("raw")
        return catalog

    def load(self, **tables: list[dict[str, Any]]) -> None:
        """One load: rows are merged into the raw tables by key, and get the next load sequence."""
        self.load_seq += 1
        catalog = self.catalog()
        for name, rows in tables.items():
            schema = pa.schema([*RAW_TABLES[name], ("payload", pa.string())])
            table = catalog.create_table_if_not_exists(f"raw.{name}", schema)
            merged = {tuple(row[key] for key in KEYS[name]): row for row in table.scan().to_arrow().to_pylist()}
            landed = {
                "landing_id": "made/by/hand",
                "load_seq": self.load_seq,
                "fetched_at": at(self.as_of),
                "loaded_at": at(self.as_of),
                "payload": "{}",
            }
            for row in rows:
                merged[tuple(row[key] for key in KEYS[name])] = {key: (landed | row).get(key) for key in schema.names}
            if merged.keys() and table.current_snapshot():
                table.delete()
            table.append(pa.Table.from_pylist(list(merged.values()), schema=schema))

    def build(self) -> None:
        """`lakepulse_dbt build` in this process: starting one and importing dbt takes longer than the build."""
        with patch.dict(os.environ, self.environment()):
            build(self.settings())

    def publish(self) -> None:
        """`lakepulse_dbt publish` in this process."""
        publish(self.settings())

    def stage(self, **tables: tuple[list[str], pa.Table]) -> None:
        """Leave in the build database what a build that passed leaves: by table its grain and rows."""
        store = DuckDBStore(self.settings())
        store.folder.mkdir(exist_ok=True)
        with duckdb.connect(store.path) as connection:
            connection.execute(f"create schema if not exists {GOLD_BUILD}")
            for name, (_, rows) in tables.items():
                connection.register("staged", rows)
                connection.execute(f"create or replace table {GOLD_BUILD}.{name} as select * from staged")  # noqa: S608 - names of tests
                connection.unregister("staged")
        gold = [
            GoldTable(
                name=name, grain=tuple(grain), description=f"About {name}.", columns={grain[0]: "The key."}, rows=rows.num_rows
            )
            for name, (grain, rows) in tables.items()
        ]
        passed = Passed(run_id=self.run_id, as_of=date.fromisoformat(self.as_of), is_demo=True, tables=tuple(gold))
        store.save(State(code_version="c0de", raw={}, passed=passed))

    def step(self, *command: str, check: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m lakepulse_dbt <command>` as the workflow does; `check` is the exit code it must have."""
        return self.python("-m", "lakepulse_dbt", *command, check=check, **environment)

    def python(self, *arguments: str, check: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        paths = os.pathsep.join(str(ROOT / folder) for folder in ("", "images/common", "dbt"))
        done = subprocess.run(
            [sys.executable, *arguments],
            env=inherited | {"PYTHONPATH": paths} | self.environment() | environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert check is None or done.returncode == check, f"exit {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def gold(self, name: str) -> list[dict[str, Any]]:
        """The rows of a gold table in the newest publication, sorted by grain."""
        catalog = self.catalog()
        grain = catalog.load_table(f"gold.{name}").properties[GRAIN].split(",")
        rows = read_table(catalog, publications(catalog)[0], name).to_pylist()
        return sorted(rows, key=lambda row: tuple(str(row[key]) for key in grain))


def commit(repo: str, sha: str, day: str, author: str, **more: Any) -> dict[str, Any]:
    """A row of raw.commits; `author` is a login."""
    person = {"name": author.title(), "email": f"{author}@example.org", "login": author, "id": 1, "type": "User"}
    signed = {f"{role}_{key}": value for role in ("author", "committer") for key, value in person.items()}
    row = {"repo": repo, "sha": sha, "repo_id": 1, "message": sha, "parents": [], "is_reachable": True}
    return row | signed | {"authored_at": at(day), "committed_at": at(day)} | more


def issue(repo: str, number: int, opened: str, closed: str | None = None, **more: Any) -> dict[str, Any]:
    """A row of raw.issues."""
    return {
        "repo": repo,
        "repo_id": 1 if repo == "acme/lake" else 2,
        "number": number,
        "issue_id": number,
        "title": f"Issue {number}",
        "state": "closed" if closed else "open",
        "is_pull_request": False,
        "is_draft": False,
        "author_login": "reporter",
        "author_id": 9,
        "author_type": "User",
        "comments_count": 0,
        "labels": ["bug"],
        "created_at": at(opened),
        "updated_at": at(closed or opened),
        "closed_at": at(closed) if closed else None,
        "html_url": f"https://example.org/{repo}/issues/{number}",
        "is_deleted": False,
    } | more


def snapshot(repo: str, day: str, stars: int) -> dict[str, Any]:
    """A row of raw.repo_snapshots."""
    counts = ("forks", "watchers", "subscribers", "open_issues", "network")
    return {
        "repo": repo,
        "snapshot_date": date.fromisoformat(day),
        "repo_id": 1 if repo == "acme/lake" else 2,
        "full_name": repo,
        "default_branch": "main",
        "is_archived": False,
        "size_kb": 10,
        "stargazers_count": stars,
        "created_at": at("2020-01-01"),
        "pushed_at": at(day),
        "updated_at": at(day),
    } | {f"{name}_count": 1 for name in counts}


def downloads(
    package: str, first: str, days: int, category: str = "without_mirrors", kind: str = "overall"
) -> list[dict[str, Any]]:
    """Rows of raw.downloads: 100 on the first day, one more each day."""
    start = date.fromisoformat(first)
    return [
        {"package": package, "kind": kind, "category": category, "date": start + timedelta(days=day), "downloads": 100 + day}
        for day in range(days)
    ]


def landing(source: str, scope: str, day: str, number: int = 1) -> dict[str, Any]:
    """A row of raw.landings."""
    return {
        "landing_id": f"{source}/{scope.replace('/', '__')}/{number:08d}",
        "source": source,
        "scope": scope,
        "run_id": "run",
        "as_of": date.fromisoformat(day),
        "started_at": at(day, 1),
        "finished_at": at(day, 2),
        "status": "ok",
        "pages": 1,
        "rows": 1,
        "requests": 1,
        "quota": 1,
        "last_event_at": at(day),
    }


def first_load(lake: Lake) -> None:
    """Two projects with a little of everything."""
    lake.load(
        commits=[
            commit("acme/lake", "a1", "2024-01-30", "ann"),
            commit("acme/lake", "a2", "2024-02-29", "ann"),
            commit("acme/lake", "a3", "2024-03-01", "bob"),
            commit("acme/pond", "b1", "2024-02-01", "eve"),
        ],
        issues=[
            issue("acme/lake", 1, "2024-02-01", "2024-02-03"),
            issue("acme/lake", 2, "2024-03-04"),
            issue("acme/pond", 1, "2024-03-05"),
        ],
        repo_snapshots=[snapshot("acme/lake", "2024-03-10", 50), snapshot("acme/pond", "2024-03-10", 5)],
        downloads=downloads("pylake", "2024-02-01", 39) + downloads("pylake", "2024-02-01", 39, "with_mirrors"),
        landings=[
            landing("github_commits", "acme/lake", "2024-03-10"),
            landing("github_commits", "acme/pond", "2024-03-10"),
            landing("github_issues", "acme/lake", "2024-03-10"),
            landing("github_issues", "acme/pond", "2024-03-10"),
            landing("pypistats_overall", "pylake", "2024-03-10"),
        ],
    )


def second_load(lake: Lake, day: str) -> None:
    """A little more of it, by a later day."""
    lake.load(
        commits=[commit("acme/pond", "b2", day, "eve")],
        issues=[issue("acme/lake", 3, day)],
        landings=[landing("github_commits", "acme/pond", day, 2), landing("github_issues", "acme/lake", day, 2)],
    )
