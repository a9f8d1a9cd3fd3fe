"""Landings as fetch leaves them, made by hand, and items as the APIs give them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import obstore

from lakepulse.landing import (
    KEYS_FILE,
    MANIFEST,
    Manifest,
    Page,
    complete_landings,
    landing_id,
    landing_path,
    pack_lines,
    scope_slug,
)
from lakepulse.store import Store

DAY = datetime(2026, 11, 1, tzinfo=UTC)
REPO = "apache/iceberg"
REPO_ID = 158256479


def at(minutes: float) -> datetime:
    """A moment so many minutes after the start of the tests' day."""
    return DAY + timedelta(minutes=minutes)


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def land(
    store: Store,
    source: str,
    *pages: Sequence[object],
    scope: str = REPO,
    keys: Iterable[int | str] | None = None,
    started: datetime = DAY,
    finished: datetime | None = None,
    as_of: date = date(2026, 11, 1),
    is_complete: bool = True,
    **more: Any,
) -> str:
    """Write the scope's next landing and return its id."""
    number = sum(1 for _ in complete_landings(store, source, scope_slug(scope))) + 1
    identifier = landing_id(source, scope, number)
    folder = landing_path(identifier)
    listed = []
    for index, items in enumerate(pages, start=1):
        name = f"page-{index:05d}.jsonl.gz"
        obstore.put(store, f"{folder}/{name}", pack_lines(list(items)))
        listed.append(Page(file=name, rows=len(items)))
    if keys is not None:
        obstore.put(store, f"{folder}/{KEYS_FILE}", pack_lines(list(keys)))
    if source.startswith("github"):
        more.setdefault("upstream_id", REPO_ID)
        more.setdefault("upstream_name", scope)
    manifest = Manifest(
        landing_id=identifier,
        source=source,
        scope=scope,
        run_id="test",
        as_of=as_of,
        started_at=started,
        finished_at=finished or started + timedelta(minutes=1),
        pages=tuple(listed),
        has_keys=keys is not None,
        **more,
    )
    if is_complete:
        obstore.put(store, f"{folder}/{MANIFEST}", manifest.model_dump_json().encode())
    return identifier


def issue(number: int, updated: float = 0, **changes: Any) -> dict[str, Any]:
    """An item of GitHub's list of issues, last updated so many minutes after the day's start."""
    return {
        "id": 1000 + number,
        "number": number,
        "title": f"Issue {number}",
        "state": "open",
        "state_reason": None,
        "draft": None,
        "user": {"login": "octocat", "id": 1, "type": "User"},
        "author_association": "NONE",
        "comments": 0,
        "labels": [{"id": 5, "name": "bug", "color": "f00"}],
        "created_at": "2026-10-01T00:00:00Z",
        "updated_at": iso(at(updated)),
        "closed_at": None,
        "html_url": f"https://github.com/{REPO}/issues/{number}",
    } | changes


def comment(number: int, updated: float = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "issue_url": f"https://api.github.com/repos/{REPO}/issues/{number % 100}",
        "user": {"login": "octocat", "id": 1, "type": "User"},
        "created_at": "2026-10-01T00:00:00Z",
        "updated_at": iso(at(updated)),
        "html_url": "https://github.com/",
    } | changes


def pull(number: int, updated: float = 0, **changes: Any) -> dict[str, Any]:
    return issue(number, updated) | {"merged_at": None, "merge_commit_sha": None} | changes


def commit(sha: str, **changes: Any) -> dict[str, Any]:
    person = {"name": "Octo Cat", "email": "octo@example.org", "date": "2026-10-01T12:00:00Z"}
    return {
        "sha": sha,
        "commit": {"author": person, "committer": person, "message": f"Change {sha}"},
        "author": {"login": "octocat", "id": 1, "type": "User"},
        "committer": None,
        "parents": [{"sha": "0" * 40}],
    } | changes


def repository(**changes: Any) -> dict[str, Any]:
    return {
        "id": REPO_ID,
        "full_name": REPO,
        "default_branch": "main",
        "archived": False,
        "disabled": False,
        "has_issues": True,
        "forks_count": 10,
        "size": 2000,
        "watchers_count": 50,
        "stargazers_count": 50,
        "subscribers_count": 7,
        "open_issues_count": 3,
        "network_count": 10,
        "created_at": "2018-11-19T16:26:13Z",
        "pushed_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-01T00:00:00Z",
    } | changes


def release(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "tag_name": f"v{number}",
        "name": f"Release {number}",
        "draft": False,
        "prerelease": False,
        "created_at": "2026-10-01T00:00:00Z",
        "published_at": "2026-10-01T00:00:00Z",
        "author": {"login": "octocat", "id": 1, "type": "User"},
        "html_url": "https://github.com/",
    } | changes


def package_file(version: str, **changes: Any) -> dict[str, Any]:
    return {
        "filename": f"pkg-{version}.tar.gz",
        "version": version,
        "packagetype": "sdist",
        "uploaded_at": "2026-10-01T00:00:00+00:00",
        "is_yanked": False,
        "yanked_reason": None,
        "requires_python": ">=3.9",
    } | changes


def break_manifest(store: Store, identifier: str) -> bytes:
    """Let a landing's manifest promise a row more; returns what it was, for `put_manifest`."""
    path = f"{landing_path(identifier)}/{MANIFEST}"
    text = bytes(obstore.get(store, path).bytes())
    manifest = Manifest.model_validate_json(text)
    pages = manifest.pages or (Page(file="page-00001.jsonl.gz", rows=0),)
    if not manifest.pages:
        obstore.put(store, f"{landing_path(identifier)}/{pages[0].file}", pack_lines([]))
    more = (*pages[:-1], pages[-1].model_copy(update={"rows": pages[-1].rows + 1}))
    put_manifest(store, identifier, manifest.model_copy(update={"pages": more}).model_dump_json().encode())
    return text


def put_manifest(store: Store, identifier: str, text: bytes) -> None:
    obstore.put(store, f"{landing_path(identifier)}/{MANIFEST}", text)


def download(day: str, downloads: object, category: str | None = "without_mirrors") -> dict[str, Any]:
    return {"category": category, "date": day, "downloads": downloads}
