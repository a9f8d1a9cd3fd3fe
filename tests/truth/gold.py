"""What gold must show: plain loops over what upstream has shown, without any code of the product.

Give `Known` each look at the world that the product had, then call `gold`. Rows are
dicts with dates, naive UTC datetimes, ints, floats, bools, strings and None; where only people read a
column, it holds what that must name (`Text`, `Words`). Each module beside this one counts one subject;
its docstring lists the decisions taken where the contract leaves room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from tests.truth import downloads, figures, releases, state
from tests.truth.basics import Row, end_of, percentile
from tests.truth.commits import Commits
from tests.truth.compare import GRAINS, counted, differences
from tests.truth.issues import Issues
from tests.truth.known import Break, Known, KnownPackage, KnownRepo, Project
from tests.truth.people import People
from tests.truth.pulls import Pulls

__all__ = ["GRAINS", "Break", "Known", "Project", "Row", "counted", "differences", "gold", "percentile"]


def gold(
    known: Known,
    as_of: date,
    bots: Iterable[str] = ("web-flow",),
    breaks: Sequence[Break] = (),
    not_bots: Iterable[str] = (),
) -> dict[str, list[Row]]:
    """Every table of GRAINS, rows in no special order.

    `bots` and `not_bots` are the logins and names of the two seeds.
    """
    return _Gold(known, as_of, list(bots), list(not_bots), breaks).tables()


class _Gold:
    def __init__(self, known: Known, as_of: date, bots: list[str], not_bots: list[str], breaks: Sequence[Break]) -> None:
        self.projects, self.as_of, self.breaks = known.projects, as_of, breaks
        self.end = end_of(as_of)
        self.repos, self.packages = known.repos, known.packages
        seen = {name: repo for name, repo in known.repos.items() if repo.is_seen}
        self.people = People(seen, self.end, bots, not_bots)
        self.out: dict[str, list[Row]] = {table: [] for table in GRAINS}

    def add(self, table: str, **row: Any) -> None:
        self.out[table].append(row)

    def tables(self) -> dict[str, list[Row]]:
        for project in self.projects:
            for kind, names in (("repo", project.repos), ("package", project.packages)):
                for name in names:
                    self.add("dim_projects", project=project.name, kind=kind, name=name)
            places = {name: releases.of_repo(self.repos[name], self.end) for name in project.repos}
            places |= {name: releases.of_package(self.packages[name], self.end) for name in project.packages}
            for name, publications in places.items():
                releases.table(self.add, project.name, name, publications)
            releases.project_table(self.add, project.name, [one for publications in places.values() for one in publications])
        for name, repo in self.repos.items():
            if repo.is_seen:
                self.of_repo(name, repo)
        for name, package in self.packages.items():
            published = releases.of_package(package, self.end)
            downloads.Downloads(name, package, published, self.breaks, self.as_of, self.add).tables()
        self.out["dim_figures"] += figures.dimension()
        for project in self.projects:
            scope = self.scope(project.name, "project", project.repos, project.packages)
            self.of_scope(scope)
            self.out["fct_project_state"].append(state.row(scope))
        for name in self.repos:
            self.of_scope(self.scope(name, "repo", (name,), ()))
        for name in self.packages:
            self.of_scope(self.scope(name, "package", (), (name,)))
        return self.out

    def of_repo(self, name: str, repo: KnownRepo) -> None:
        for day, row in repo.snapshots.items():
            if day <= self.as_of:
                self.add("fct_all_time_base_repo_stats", repo=name, snapshot_date=day, **row)
        for subject in (Commits, Issues, Pulls):
            subject(name, repo, self.people, self.as_of, self.add).tables()

    def scope(self, name: str, kind: str, repos: Iterable[str], packages: Iterable[str]) -> figures.Scope:
        members: dict[str, KnownRepo] = {repo: self.repos[repo] for repo in repos}
        published: dict[str, KnownPackage] = {package: self.packages[package] for package in packages}
        return figures.Scope(kind, name, members, published, self.people, self.as_of, self.breaks)

    def of_scope(self, scope: figures.Scope) -> None:
        self.out["fct_figures"] += scope.rows()
        if scope.kind != "package":
            for row in scope.pool.rows(self.as_of):
                self.out["fct_people"].append({"scope_kind": scope.kind, "scope": scope.name, **row})
