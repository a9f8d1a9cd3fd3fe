"""Recorded data of real projects, served as it is: see the README in the folder it is read from.

Files `<owner>__<name>.commits.jsonl.gz`, `.tags.jsonl`, `.pulls_from_subjects.jsonl.gz` and
`<package>.overall.csv`, `.system.csv`, `.python_minor.csv`; missing files are not served.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from lakepulse_simulator.world import DAY, KINDS, Commit, Issue, Person, Release, Repo, User, World, epoch, from_iso


class RecordedWorld(World):
    """Recorded repositories and packages as they were at the end of `date`.

    Commits, tags and pull requests after it are left out; the branch head is then the
    newest commit of the first-parent line. The date may be moved both ways.
    """

    def __init__(self, folder: Path, day: date) -> None:
        super().__init__(day)
        self._whole: dict[int, tuple[str, list[Issue], list[tuple[str, str, int]]]] = {}
        for path in sorted(folder.glob("*.commits.jsonl.gz")):
            self._read_repo(folder, path.name.removesuffix(".commits.jsonl.gz"))
        for path in sorted(folder.glob("*.overall.csv")):
            self._read_package(folder, path.name.removesuffix(".overall.csv"))
        if not self.repos and not self.packages:
            raise FileNotFoundError(2, "no *.commits.jsonl.gz and no *.overall.csv found", str(folder))
        self.set_date(day)

    def set_date(self, day: date) -> None:
        with self.lock:
            self.date = day
            end = epoch(day) + DAY
            self.now = end - 1
            for repo in self.repos.values():
                newest, pulls, tags = self._whole[repo.id]
                head: str | None = newest
                while head is not None and repo.commits[head].committed_at >= end:
                    head = next(iter(repo.commits[head].parents), None)
                repo.head = head
                seen = [issue for issue in pulls if issue.updated_at < end]
                repo.issues = {issue.number: issue for issue in seen}
                repo.last_number = max(repo.issues, default=0)
                repo.tags = {name: sha for name, sha, when in tags if when < end}
                repo.releases = {
                    i: Release(i, name, name, None, when, when, _is_prerelease(name))
                    for i, (name, _, when) in enumerate(reversed(tags), start=repo.id * 1_000)
                    if when < end
                }
                repo.pushed_at = repo.commits[head].committed_at if head else repo.created_at
                repo.updated_at = repo.pushed_at
                repo.version += 1

    def _read_repo(self, folder: Path, stem: str) -> None:
        name = stem.replace("__", "/", 1)
        repo = self.add_repo(name, 0)
        newest = None
        for item in _lines(folder / f"{stem}.commits.jsonl.gz"):
            found = _commit(item)
            newest = newest or found.sha
            repo.commits[found.sha] = found
        if newest is None:
            raise ValueError(f"{stem}.commits.jsonl.gz is empty")
        repo.created_at = min(found.committed_at for found in repo.commits.values())
        tags = [
            (item["name"], item["commit"]["sha"], from_iso(item["tag_date"])) for item in _lines(folder / f"{stem}.tags.jsonl")
        ]
        self._whole[repo.id] = (newest, _pulls(repo, _lines(folder / f"{stem}.pulls_from_subjects.jsonl.gz")), tags)

    def _read_package(self, folder: Path, name: str) -> None:
        package = self.add_package(name)
        for kind in KINDS:
            path = folder / f"{name}.{kind}.csv"
            if not path.exists():
                continue
            days: dict[date, dict[str, int]] = defaultdict(dict)
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    days[date.fromisoformat(row["date"])][row["category"]] = int(row["downloads"])
            package.downloads[kind] = dict(days)
        package.version += 1


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _person(git: dict[str, Any], account: dict[str, Any] | None) -> Person:
    user = None if account is None else User(account["login"], account["id"], account["type"])
    return Person(git["name"], git["email"], user)


def _commit(item: dict[str, Any]) -> Commit:
    git = item["commit"]
    return Commit(
        sha=item["sha"],
        author=_person(git["author"], item["author"]),
        authored_at=from_iso(git["author"]["date"]),
        committer=_person(git["committer"], item["committer"]),
        committed_at=from_iso(git["committer"]["date"]),
        message=git["message"],
        parents=tuple(parent["sha"] for parent in item["parents"]),
        recorded=item,
    )


def _pulls(repo: Repo, items: Iterator[dict[str, Any]]) -> list[Issue]:
    """One pull request a number of this repository; the first line with a number counts.

    Its opening is not recorded: its commit's author date stands in for it.
    """
    users = {c.author.user.login: c.author.user for c in repo.commits.values() if c.author.user}
    found: dict[int, Issue] = {}
    for item in items:
        if item["number_repo"].lower() != repo.name.lower() or item["number"] in found:
            continue
        merged = from_iso(item["merged_at"])
        commit = repo.commits.get(item["merge_commit_sha"])
        opened = min(merged, commit.authored_at) if commit else merged
        number, opener = item["number"], users.get(item["author_login"])
        issue = Issue(number, repo.id * 100_000 + number, item["title"], opener, opened, merged, is_pull=True)
        issue.state, issue.closed_at, issue.merged_at = "closed", merged, merged
        issue.merge_sha, issue.association = item["merge_commit_sha"], "CONTRIBUTOR"
        found[number] = issue
    return list(found.values())


def _is_prerelease(tag: str) -> bool:
    return re.search(r"(rc|alpha|beta|preview)[-.]?\d*$|^(dbi|dbr|sharing)-", tag) is not None
