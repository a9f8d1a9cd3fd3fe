"""How a visit ends: complete, gone or closed, and what the landings then say they cover."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from lakepulse.landing import Manifest
from lakepulse_fetch.answers import Refusal
from lakepulse_fetch.sources import all_sources
from lakepulse_simulator import Simulator, World, tiny_world
from lakepulse_simulator.tiny import PEOPLE
from tests.fetch.lab import GITHUB, Kill, Lab, Line, ends, keys, landed, rows, truth

Labs = Callable[..., Lab]
REPO = "acme/lake"
PACKAGE = "acme-lake"
WALKED = ("github_commits", "github_issues", "github_comments", "github_pulls")
"""Lists of which a resumed walk reads on where it was; releases are read from the start."""
PERMISSION = "Must have admin rights to Repository."


def world(items: int) -> World:
    """A repo with as many commits, issues, pull requests, comments and releases, hours apart."""
    made = tiny_world(repos=(REPO,), packages=())
    for number in range(items):
        made.now += 3 * 3600
        made.commit(REPO, PEOPLE[0])
        issue = made.open_issue(REPO).number
        made.comment(REPO, issue, None)
        made.open_pull(REPO)
        made.release(REPO, f"v{number + 10}", None)
    made.set_date(made.date + timedelta(days=1 + items // 8))
    return made


def newest_ok(lab: Lab, source: str, scope: str = REPO) -> Manifest | None:
    found = [manifest for manifest in lab.manifests(source, scope) if manifest.status == "ok"]
    return found[-1] if found else None


def times_of(source: str, item: Any) -> tuple[datetime, datetime]:
    """Where an item stands in its list, and when it was there for the first time as it is."""
    if source == "github_commits":
        listed = at = item["commit"]["committer"]["date"]
    elif source == "github_releases":
        listed, at = item["created_at"], item["published_at"]
    else:
        listed = at = item["updated_at"]
    return datetime.fromisoformat(listed), datetime.fromisoformat(at)


def claimed_but_missing(lab: Lab, source: str) -> list[Any]:
    """Items that upstream has in the time that the newest good landing says is covered, and that are not landed."""
    last, said = newest_ok(lab, source), landed(lab.store, source, REPO)
    if last is None:
        return []
    missing = []
    for key, item in truth(lab.world, source, REPO).items():
        listed, at = times_of(source, item)
        is_covered = (last.covered_from is None or listed > last.covered_from) and at < (last.covered_to or last.finished_at)
        if is_covered and said.get(key) != item:
            missing.append(key)
    return missing


class Headed(Line):
    """A line that notes the Accept header of each request."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self.accepted: dict[str, str] = {}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.accepted[request.url.path.rsplit("/", 1)[-1]] = request.headers["accept"]
        return super()._answer(request)


class Paged(Line):
    """A line that answers for project pages as `change` makes them from the simulator's, HTML if it is text."""

    def __init__(self, simulator: Simulator, change: Callable[[dict[str, Any]], dict[str, Any] | str]) -> None:
        super().__init__(simulator)
        self.change = change

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = super()._answer(request)
        if "/simple/" not in request.url.path or answer.status_code != 200:
            return answer
        page = self.change(json.loads(answer.read()))
        kind = "text/html" if isinstance(page, str) else "application/vnd.pypi.simple.v1+json"
        body = page if isinstance(page, str) else json.dumps(page)
        headers = {"content-type": kind, "etag": answer.headers["etag"]}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body.encode()))


# --- closed


def test_issues_that_are_switched_off_are_closed_in_the_words_of_the_upstream(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.world.repo(REPO).has_issues = False
    at.run()
    last = at.manifests("github_issues", REPO)[-1]
    assert (last.status, last.status_detail, last.pages) == ("closed", "410 Issues has been disabled in this repository.", ())
    assert (last.covered_from, last.covered_to, last.watermark) == (None, None, None)
    assert (last.requests, last.quota) == (2, 2)  # the list, then the repository
    assert at.manifests("github_commits", REPO)[-1].status == "ok"
    at.world.repo(REPO).has_issues = True
    at.run()
    assert at.manifests("github_issues", REPO)[-1].status == "ok"
    assert landed(at.store, "github_issues", REPO) == truth(at.world, "github_issues", REPO)


def test_comments_that_are_switched_off_are_closed(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.simulator.faults.add("status", "/issues/comments", times=None, status=410, message="Issues has been disabled")
    at.run()
    last = at.manifests("github_comments", REPO)[-1]
    assert (last.status, last.status_detail) == ("closed", "410 Issues has been disabled")
    assert at.manifests("github_issues", REPO)[-1].status == "ok"


def test_a_list_that_is_not_found_in_a_repo_that_exists_is_closed(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.simulator.faults.add("status", "/pulls", times=None, status=404)
    at.run()
    assert at.manifests("github_pulls", REPO)[-1].status == "closed"


def test_a_source_declares_its_media_type_and_what_closes_its_list(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.line = line = Headed(at.simulator)
    releases = replace(
        all_sources()["github_releases"],
        headers={"accept": "application/vnd.github.star+json"},
        refusals=(Refusal(403, "must have admin rights"),),
    )
    at.run(("github_repo", "github_commits", releases))
    assert line.accepted["releases"] == "application/vnd.github.star+json"
    assert line.accepted["commits"] == line.accepted["lake"] == "application/vnd.github+json"
    at.simulator.faults.add("status", "/releases", times=None, status=403, message=PERMISSION)
    assert ends(partial(at.run, ("github_repo", "github_commits", releases))) == "done"
    last = at.manifests("github_releases", REPO)[-1]
    assert (last.status, last.status_detail) == ("closed", f"403 {PERMISSION}")
    assert landed(at.store, "github_releases", REPO) == truth(at.world, "github_releases", REPO)


def test_a_refusal_that_a_source_does_not_declare_stays_an_error(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.simulator.faults.add("status", "/releases", times=None, status=403, message=PERMISSION)
    assert f"403 {PERMISSION}" in ends(at.run)
    assert at.manifests("github_releases", REPO) == []


def test_credentials_that_are_refused_everywhere_close_nothing(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.run()
    releases = replace(all_sources()["github_releases"], refusals=(Refusal(403, "not accessible"),))
    message = "Resource not accessible by personal access token"
    at.simulator.faults.add("status", "/repo", times=None, status=403, message=message)
    assert message in ends(partial(at.run, (releases,)))
    assert [manifest.status for manifest in at.manifests("github_releases", REPO)] == ["ok"]
    at.simulator.faults.clear()
    at.simulator.rules.bad_tokens = ("token-one",)
    assert "refused every token" in ends(partial(at.run, (releases,)))
    assert [manifest.status for manifest in at.manifests("github_releases", REPO)] == ["ok"]


# --- what is covered


@pytest.mark.parametrize("is_after", [True, False])
@pytest.mark.parametrize("end", ["closed", "gone"])
@pytest.mark.parametrize("is_known", [False, True])
def test_a_listing_that_was_killed_and_then_ended_never_lands_as_complete(
    lab: Labs, is_known: bool, end: str, is_after: bool
) -> None:
    step, how, partly = 0, "killed", set()
    while how == "killed":
        step += 5
        at = lab(world(9), 3)
        if is_known:
            at.run(GITHUB)
            for number in list(at.world.repo(REPO).issues)[:14]:
                at.world.now += 3 * 3600
                at.world.edit_issue(REPO, number, title="Edited")
                at.world.edit_comment(REPO, list(at.world.repo(REPO).comments)[number % 9], f"Edited {number}")
                at.world.commit(REPO, PEOPLE[1])
                at.world.release(REPO, f"v0.{number}", None, created_at=at.world.now - (number % 3) * 20 * 86_400)
        how = ends(partial(at.run, GITHUB, kill=Kill(step, is_after)))
        at.world.now += 3600
        at.world.open_issue(REPO, "After the kill")
        if end == "gone":
            at.world.set_gone(REPO, 404)
        else:
            at.simulator.faults.add("status", "/repositories/[0-9]+/", times=None, status=410, message="Switched off")
        at.run(GITHUB)
        for source in GITHUB[1:]:
            assert at.manifests(source, REPO)[-1].status == end, (step, source)
            last = newest_ok(at, source)
            if last and (last.covered_from or last.covered_to):
                partly.add(source)
            at.world.set_gone(REPO, None)
            assert claimed_but_missing(at, source) == [], (step, source)
    assert partly == set(GITHUB[1:])


def test_a_walk_that_is_refused_in_the_middle_covers_all_but_the_newest_part(lab: Labs) -> None:
    at = lab(world(20), 5)
    at.run(GITHUB)
    before = at.manifests("github_issues", REPO)[-1]
    for number in list(at.world.repo(REPO).issues)[:18]:
        at.world.now += 3 * 3600
        at.world.edit_issue(REPO, number, title="Edited")
    at.simulator.faults.add("status", "/issues\\?.*after=", times=None, status=410, message="Issues are disabled")
    at.run(GITHUB)
    first, cut, closed = at.manifests("github_issues", REPO)
    assert first == before
    assert (cut.status, cut.rows, cut.covered_from, cut.covered_to) == ("ok", 5, None, before.watermark)
    assert closed.status == "closed"
    assert claimed_but_missing(at, "github_issues") == []
    at.simulator.faults.clear()
    at.run(GITHUB)
    last = at.manifests("github_issues", REPO)[-1]
    assert (last.status, last.covered_from, last.covered_to) == ("ok", None, None)
    assert landed(at.store, "github_issues", REPO) == truth(at.world, "github_issues", REPO)


def test_a_landing_that_was_resumed_covers_what_was_new_when_it_was_started(lab: Labs) -> None:
    step, how, sources = 0, "killed", set()
    while how == "killed":
        step += 5
        at = lab(world(12), 3)
        how = ends(partial(at.run, GITHUB, kill=Kill(step, is_after=True)))
        at.world.now += 3600
        at.run(GITHUB)
        for source in WALKED:
            first = at.manifests(source, REPO)[0]
            if first.started_at < first.finished_at:
                sources.add(source)
                assert first.covered_to == first.started_at
                assert at.manifests(source, REPO)[1].covered_to is None
    assert sources == set(WALKED)


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_commits_of_a_repo_that_goes_in_the_middle_of_a_walk_and_comes_back_stay(lab: Labs, page: int) -> None:
    at = lab(world(12), 3)
    at.simulator.faults.add("status", "/commits", times=None, skip=page, status=404)
    at.run(("github_repo", "github_commits"))
    assert at.manifests("github_commits", REPO)[-1].status in {"ok", "closed"}
    at.simulator.faults.clear()
    at.run(("github_repo", "github_commits"))
    at.run(("github_repo", "github_commits"), sweep=True)
    last = at.manifests("github_commits", REPO)[-1]
    assert keys(at.store, last) == truth(at.world, "github_commits", REPO).keys()
    assert landed(at.store, "github_commits", REPO) == truth(at.world, "github_commits", REPO)


# --- the upstream's own status


def statuses(lab: Lab) -> list[tuple[str, str | None, str | None]]:
    return [(m.status, m.upstream_status, m.status_detail) for m in lab.manifests("pypi_releases", PACKAGE)]


def run_pypi(lab: Lab, change: Callable[[dict[str, Any]], dict[str, Any] | str]) -> None:
    """A fetch of the package, whose page is as `change` makes it."""
    lab.world.package(PACKAGE).version += 1  # another ETag
    lab.line = Paged(lab.simulator, change)
    lab.run(("pypi_releases",))


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ({"status": "archived", "reason": "See acme-sea."}, ("ok", "archived", "See acme-sea.")),
        ({"status": "deprecated"}, ("ok", "deprecated", None)),
        ({"status": "hibernating", "reason": " two\nlines "}, ("ok", "hibernating", "two lines")),
        ({"status": "active", "reason": None}, ("ok", "active", None)),
        ({}, ("ok", None, None)),
        (None, ("ok", None, None)),
    ],
)
def test_the_status_of_a_project_lands_with_its_reason(
    lab: Labs, marker: dict[str, Any] | None, told: tuple[str, str | None, str | None]
) -> None:
    at = lab(tiny_world())
    run_pypi(at, lambda page: page | {"project-status": marker})
    assert statuses(at) == [told]
    assert landed(at.store, "pypi_releases", PACKAGE).keys() == at.world.package(PACKAGE).files.keys()
    at.run(("pypi_releases",))  # 304
    assert statuses(at) == [told, told]
    assert at.manifests("pypi_releases", PACKAGE)[-1].pages == ()


def test_a_quarantined_project_without_files_lands_its_status_and_deletes_none(lab: Labs) -> None:
    at = lab(tiny_world())
    at.run(("pypi_releases",))
    held = landed(at.store, "pypi_releases", PACKAGE)
    marker = {"status": "quarantined", "reason": "malware"}
    run_pypi(at, lambda page: page | {"project-status": marker, "files": [], "versions": []})
    assert statuses(at)[-1] == ("ok", "quarantined", "malware")
    assert landed(at.store, "pypi_releases", PACKAGE) == held
    run_pypi(at, lambda page: page)
    assert statuses(at)[-1] == ("ok", "active", None)
    assert at.manifests("pypi_releases", PACKAGE)[-1].rows == 0
    at.world.delete_file(PACKAGE, next(iter(held)))
    run_pypi(at, lambda page: page)
    assert landed(at.store, "pypi_releases", PACKAGE).keys() == at.world.package(PACKAGE).files.keys()


def test_a_project_that_was_always_quarantined_lands(lab: Labs) -> None:
    at = lab(tiny_world())
    run_pypi(at, lambda page: page | {"project-status": {"status": "quarantined"}, "files": [], "versions": []})
    assert statuses(at) == [("ok", "quarantined", None)]
    assert rows(at.store, at.manifests("pypi_releases", PACKAGE)[0]) == []


def test_html_says_the_status_too(lab: Labs) -> None:
    at = lab(tiny_world())
    metas = '<meta name="pypi:project-status" content="quarantined"><meta name="pypi:project-status-reason" content="malware">'
    run_pypi(at, lambda _page: f"<!DOCTYPE html><html><head>{metas}</head><body></body></html>")
    assert statuses(at) == [("ok", "quarantined", "malware")]
    link = '<a href="/f/acme_lake-1.0.tar.gz">acme_lake-1.0.tar.gz</a>'
    run_pypi(at, lambda _page: f"<!DOCTYPE html><html><body>{link}</body></html>")
    assert statuses(at)[-1] == ("ok", None, None)
    assert landed(at.store, "pypi_releases", PACKAGE).keys() == {"acme_lake-1.0.tar.gz"}


@pytest.mark.parametrize("marker", ["archived", ["archived"]])
def test_a_malformed_status_is_a_bad_answer(lab: Labs, marker: object) -> None:
    at = lab(tiny_world())
    assert "not a project page" in ends(partial(run_pypi, at, lambda page: page | {"project-status": marker}))


def test_a_page_that_an_earlier_version_read_is_read_again_for_its_status(lab: Labs) -> None:
    at = lab(tiny_world())
    at.run(("pypi_releases",))
    path = f"state/pypi_releases/{PACKAGE}.json"
    state = json.loads(bytes(at.store.get(path).bytes()))
    left = {name: value for name, value in state.items() if name not in {"has_status", "upstream_status", "status_reason"}}
    at.store.put(path, json.dumps(left).encode())
    at.run(("pypi_releases",))
    assert statuses(at)[-1] == ("ok", "active", None)
    assert at.manifests("pypi_releases", PACKAGE)[-1].pages == ()
