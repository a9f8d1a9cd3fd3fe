"""The simulator must be right, and wrong, in the ways the real APIs are: nothing else would notice."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pypi_simple import PyPISimple

from lakepulse_simulator import Person, RecordedWorld, Simulator, User, World, demo_world, tiny_world
from lakepulse_simulator.demo import START
from lakepulse_simulator.server import FIRST_DAY_QUERY, VERSIONS_QUERY
from lakepulse_simulator.tiny import PEOPLE, random_change
from lakepulse_simulator.world import DAY, DEPENDABOT, Comment, Issue, epoch, iso, noreply, person, user, with_coauthors

ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2026, 11, 1)
TOKEN = {"Authorization": "Bearer made-up"}
ISSUES = "issues?state=all&sort=updated&direction=desc"
ADA = person("ada", "Ada")


@pytest.fixture(scope="module")
def demo() -> Iterator[Simulator]:
    with Simulator(demo_world(AS_OF)) as simulator:
        yield simulator


@pytest.fixture
def sim() -> Iterator[Simulator]:
    world = World(date(2026, 1, 15))
    world.add_repo("acme/lake")
    with Simulator(world) as simulator:
        yield simulator


def walk(client: httpx.Client, url: str, **headers: str) -> list[Any]:
    """All items of a list, page by page."""
    found: list[Any] = []
    while url:
        answer = client.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        url = answer.links.get("next", {}).get("url", "")
    return found


def fill(world: World, name: str, issues: int = 0, commits: int = 0) -> None:
    for i in range(issues):
        world.open_issue(name, f"Number {i}", ADA.user)
    for i in range(commits):
        world.commit(name, ADA, f"Commit {i}")


# --- worlds


def served(world: World) -> dict[str, bytes]:
    """What every list of a world answers, first page and most of the items."""
    found = {}
    with Simulator(world) as simulator, httpx.Client(headers=TOKEN) as client:
        for repo in list(world.repos.values()):
            for rest in ("", "/commits", f"/{ISSUES}", "/issues/comments", "/pulls?state=all", "/releases", "/tags"):
                url = f"{simulator.github_url}/repos/{repo.name}{rest}"
                found[f"{repo.name}{rest}"] = client.get(url, params=None).content
        for package in world.packages:
            for kind in ("overall", "python_minor", "system"):
                found[f"{package}/{kind}"] = client.get(f"{simulator.pypistats_url}/packages/{package}/{kind}").content
            found[package] = client.get(f"{simulator.simple_url}/{package}/").content
            found[f"{package} versions"] = ask(simulator, VERSIONS_QUERY, project=package, first=START, last=AS_OF).content
    return found


def test_a_seed_and_date_always_answer_the_same_bytes_however_the_date_was_reached() -> None:
    at_once = demo_world(date(2024, 3, 1), seed=5)
    step_by_step = demo_world(date(2023, 11, 7), seed=5)
    step_by_step.set_date(date(2024, 1, 1))
    step_by_step.set_date(date(2024, 3, 1))
    assert served(at_once) == served(step_by_step)
    assert served(at_once) != served(demo_world(date(2024, 3, 1), seed=6))


def test_a_later_date_extends_the_world() -> None:
    world = demo_world(date(2024, 5, 1))
    before = {
        repo.name: (set(repo.commits), {i.number: i.updated_at for i in repo.issues.values()}) for repo in world.repos.values()
    }
    world.set_date(date(2024, 5, 9))
    for repo in world.repos.values():
        commits, updated = before[repo.name]
        assert commits < set(repo.commits)
        assert commits <= {c.sha for c in repo.log(repo.head)}
        for number, at in updated.items():
            assert repo.issues[number].updated_at >= at
        assert len(repo.issues) > len(updated)
        latest = max(c.committed_at for c in repo.commits.values())
        assert epoch(date(2024, 5, 1)) <= latest < epoch(date(2024, 5, 9))


def test_the_demo_world_cannot_go_back() -> None:
    world = demo_world(date(2024, 1, 2))
    with pytest.raises(ValueError, match="cannot go back"):
        world.set_date(date(2024, 1, 1))


def listed(path: str) -> list[dict[str, Any]]:
    """The projects of a list."""
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["projects"]
    return found


def test_the_demo_shows_the_shipped_projects_and_an_invented_one(demo: Simulator) -> None:
    shipped, shown = listed("workflows/projects.yaml"), listed("images/simulator/demo-projects.yaml")
    assert shown[:-1] == shipped
    repos = [name for project in shown for name in project.get("repos", ())]
    assert {repo.name for repo in demo.world.repos.values()} == {*repos} - {"acme/harbour-lost"}
    assert set(demo.world.packages) == {name for project in shown for name in project.get("packages", ())}


def test_the_demo_holds_the_shipped_projects_and_their_oddities(demo: Simulator) -> None:
    world = demo.world
    shipped = [name for project in listed("workflows/projects.yaml") for name in project["repos"]]
    pages = 0
    for repo in map(world.repo, shipped):
        log = repo.log(repo.head)
        pulls = [i for i in repo.issues.values() if i.is_pull]
        sizes = [len(log), len(repo.issues), len(repo.comments), len(pulls), len(repo.releases)]
        pages += sum(-(-size // 100) for size in sizes)
        assert any(len(c.parents) > 1 for c in log), repo.name
        assert any(i.user is None for i in repo.issues.values())
        assert any(i.user == DEPENDABOT.user for i in pulls)
        assert any(c.author.user is None for c in log)
        assert len({c.committed_at for c in log}) < len(log) - 15
        assert {i.merged_at is not None for i in pulls} == {True, False}
    assert 150 <= pages <= 220
    assert any(i.state_reason == "reopened" for repo in world.repos.values() for i in repo.issues.values())
    titles = "".join(i.title for repo in world.repos.values() for i in repo.issues.values())
    assert all(odd in titles for odd in ("<script>", "DROP TABLE", "🚀", "\u202e", "\u0000"))
    labels = {label for repo in world.repos.values() for i in repo.issues.values() for label in i.labels}
    assert {"bug", "Bug", "BUG", ""} <= labels
    for package in map(world.package, ("pyiceberg", "delta-spark")):
        assert len(package.downloads["overall"]) > 1_000
        assert any("null" in counts for counts in package.downloads["python_minor"].values())
        assert {"rc" in file.version for file in package.files.values()} == {True, False}
    late = [
        commit
        for repo in world.repos.values()
        for merge in repo.commits.values()
        if len(merge.parents) > 1
        for commit in [repo.commits[merge.parents[1]]]
        if merge.committed_at - commit.committed_at > DAY
    ]
    assert late


def test_the_demo_holds_each_odd_situation() -> None:
    world = demo_world(date(2026, 11, 17))
    iceberg, hudi, harbour = (world.repo(name) for name in ("apache/iceberg", "apache/hudi", "acme/harbour"))
    items: list[Issue | Comment] = []
    for repo in world.repos.values():
        items += [*repo.issues.values(), *repo.comments.values()]
    commits = [c for repo in world.repos.values() for c in repo.log(repo.head)]
    who = [c.author for c in commits]
    # An account renamed, and its login taken over.
    (renamed,) = world.logins
    assert any(a.user and a.user.id == renamed and a.user.login == world.logins[renamed] for a in who)
    left = world.logins[renamed].removesuffix("-renamed")
    assert [i.user.id != renamed for i in items if i.user and i.user.login == left] == [True]
    # Robots and agents whose account is a user's; people whom git alone knows, or nobody does.
    assert {a.user.type for a in who if a.user and a.user.login == "cursoragent"} == {"User"}
    assert {i.user.type for i in items if i.user and i.user.login == "hudi-bot"} == {"User"}
    assert any("users.noreply" in a.email and a.user is None for a in who)
    assert {("", ""), ("jane.roe@example.org", "jane.roe@example.org")} <= {(a.name, a.email) for a in who}
    assert len({a.email for a in who if a.name == "Ada"}) == 2
    assert any("Co-authored-by: " in c.message for c in commits)
    # Dates of broken clocks, and dates that imports bring.
    assert {c.authored_at for c in commits} >= {0, epoch(date(2038, 1, 19))}
    assert any(c.authored_text for c in commits)
    assert sum(i.created_at < hudi.created_at for i in hudi.issues.values()) == 14
    assert any(c.created_at < hudi.issues[c.number].created_at for c in hudi.comments.values())
    # Pull requests that a script merges, closings that solve nothing.
    by_script = {i.number for i in hudi.issues.values() if i.is_pull and i.state == "closed" and i.merged_at is None}
    assert any(f"Closes #{number} from" in c.message for number in by_script for c in hudi.commits.values())
    assert {"not_planned", "duplicate"} <= {i.state_reason for i in iceberg.issues.values()}
    # Versions in two spellings, a yanked one, a deleted file.
    tags = {r.tag for r in world.repo("delta-io/delta").releases.values()}
    versions = {file.version for file in world.package("delta-spark").files.values()}
    assert any("-rc." in tag and tag[1:].replace("-rc.", "rc") in versions for tag in tags)
    pyiceberg = list(world.package("pyiceberg").files.values())
    assert any(file.yanked for package in world.packages.values() for file in package.files.values())
    assert {sum(file.version == one.version for file in pyiceberg) for one in pyiceberg} == {2, 3}
    # Statuses, and days that only mirrors downloaded on.
    assert (harbour.is_archived, harbour.has_issues, world.find("acme/harbour-lost")) == (True, False, None)
    assert world.package("acme-harbour").status == "quarantined"
    newborn = world.package("acme-harbour-ng")
    assert min(file.uploaded_at for file in newborn.files.values()) // DAY == epoch(date(2026, 11, 7)) // DAY
    assert {"without_mirrors" in counts for counts in newborn.downloads["overall"].values()} == {True, False}


def test_more_repositories_and_packages_change_nothing_about_the_others() -> None:
    day = date(2024, 2, 1)
    more = demo_world(day, extra_repos=["acme/extra"], extra_packages=["Acme_Extra"])
    assert more.repo("acme/extra").issues
    assert more.package("acme-extra").files
    alone, together = served(demo_world(day)), served(more)
    assert {key: together[key] for key in alone} == alone


def test_random_changes_keep_a_tiny_world_consistent() -> None:
    seen = set()
    for seed in range(40):
        chance = random.Random(seed)
        world = tiny_world(seed)
        for _ in range(40):
            seen.add(random_change(world, chance, odd=True))
        for repo in world.repos.values():
            assert all(c.number in repo.issues for c in repo.comments.values())
            for issue in repo.issues.values():
                assert (issue.state == "closed") == (issue.closed_at is not None)
                assert issue.comments == sum(c.number == issue.number for c in repo.comments.values())
                assert issue.created_at <= issue.updated_at
            repo.log(repo.head)
    assert {"force push", "transfer issue", "delete comment", "merge late", "reopen issue", "missing day"} <= seen
    assert {"odd commit", "script merge", "stale issue", "import issue", "older comment", "mirrors alone", "yank"} <= seen
    assert {"rename account", "take over login", "archive", "disable", "switch issues", "gone", "package status"} <= seen


def test_random_changes_without_losses_take_nothing_away() -> None:
    for seed in range(10):
        chance = random.Random(seed)
        world = tiny_world(seed)
        before = {repo.name: {*repo.issues, *repo.comments, *repo.commits} for repo in world.repos.values()}
        files = set(world.package("acme-lake").files)
        for _ in range(40):
            random_change(world, chance, with_losses=False, odd=True)
        for repo in world.repos.values():
            assert before[repo.name] <= {*repo.issues, *repo.comments, *repo.commits}
            assert (repo.gone, repo.has_issues, repo.is_archived) == (None, True, False)
        assert files <= set(world.package("acme-lake").files)
        assert not world.logins


def test_a_package_may_be_ten_days_old() -> None:
    package = tiny_world(new_packages=["acme-new"]).package("acme-new")
    assert (len(package.downloads["overall"]), len(package.files)) == (10, 2)


# --- GitHub lists


def test_every_list_is_paged_by_its_links_and_complete(demo: Simulator) -> None:
    repo = demo.world.repo("apache/hudi")
    base = f"{demo.github_url}/repos/apache/hudi"
    with httpx.Client(headers=TOKEN) as client:
        commits = walk(client, f"{base}/commits?per_page=100")
        issues = walk(client, f"{base}/{ISSUES}&per_page=100")
        comments = walk(client, f"{base}/issues/comments?sort=updated&direction=desc&per_page=100")
        pulls = walk(client, f"{base}/pulls?state=all&sort=updated&direction=desc&per_page=100")
        releases = walk(client, f"{base}/releases?per_page=10")
    assert [c["sha"] for c in commits] == [c.sha for c in repo.log(repo.head)]
    assert {i["number"] for i in issues} == set(repo.issues)
    assert {i["number"] for i in issues if "pull_request" in i} == {p["number"] for p in pulls}
    assert {c["id"] for c in comments} == set(repo.comments)
    assert {r["id"] for r in releases} == set(repo.releases)
    for rows in (issues, comments, pulls):
        assert [r["updated_at"] for r in rows] == sorted((r["updated_at"] for r in rows), reverse=True)
    merged = {p["number"]: p["merged_at"] for p in pulls}
    assert all(i["pull_request"]["merged_at"] == merged[i["number"]] for i in issues if "pull_request" in i)


def test_a_cursor_misses_nothing_while_items_move_to_the_front(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", issues=50)
    with httpx.Client() as client:
        first = client.get(f"{sim.github_url}/repos/acme/lake/{ISSUES}&per_page=10")
        for number in (50, 49, 3, 2):
            sim.world.edit_issue("acme/lake", number, title="moved")
        rest = walk(client, first.links["next"]["url"])
    numbers = [i["number"] for i in (*first.json(), *rest)]
    assert set(numbers) == set(range(1, 51)) - {2, 3}
    assert "after=" in first.links["next"]["url"]
    assert f"/repositories/{sim.world.repo('acme/lake').id}/issues" in first.links["next"]["url"]


def test_page_numbers_shift_while_items_move(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", issues=1)
    for _ in range(30):
        sim.world.comment("acme/lake", 1, ADA.user)
    url = f"{sim.github_url}/repos/acme/lake/issues/comments?sort=updated&direction=desc&per_page=10"
    with httpx.Client() as client:
        first = client.get(url)
        newest = first.json()[0]["id"]
        oldest = min(c for c in sim.world.repo("acme/lake").comments)
        sim.world.edit_comment("acme/lake", oldest, "edited")
        rest = walk(client, first.links["next"]["url"])
    seen = [c["id"] for c in (*first.json(), *rest)]
    assert newest in seen
    assert oldest not in seen
    assert len(seen) != len(set(seen))


def test_issues_refuse_deep_page_numbers_and_bad_cursors(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", issues=40)
    sim.rules.page_row_limit = 30
    url = f"{sim.github_url}/repos/acme/lake/issues?state=all&per_page=10"
    with httpx.Client() as client:
        assert len(client.get(f"{url}&page=2").json()) == 10
        refused = client.get(f"{url}&page=3")
        assert (refused.status_code, "cursor based pagination" in refused.text) == (422, True)
        assert client.get(f"{url}&after=nonsense").status_code == 422
        assert len(walk(client, url)) == 40


@pytest.mark.parametrize("rest", ["issues?state=all", "issues/comments", "commits"])
def test_since_at_the_epoch_finds_nothing(sim: Simulator, rest: str) -> None:
    fill(sim.world, "acme/lake", issues=3, commits=3)
    sim.world.comment("acme/lake", 1, ADA.user)
    url = f"{sim.github_url}/repos/acme/lake/{rest}"
    assert httpx.get(url, params=dict(httpx.URL(url).params) | {"since": "1970-01-01T00:00:00Z"}).json() == []
    assert httpx.get(url, params=dict(httpx.URL(url).params) | {"since": "1970-01-01T08:00:00Z"}).json() != []
    assert httpx.get(url, params=dict(httpx.URL(url).params) | {"since": "never"}).status_code == 422


def test_since_and_until_go_by_committer_date_and_so_miss_a_late_merge(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", commits=3)
    sim.world.set_date(date(2026, 2, 20))
    mark = sim.world.now
    sim.world.merge_late("acme/lake", PEOPLE[:3], days_ago=30)
    url = f"{sim.github_url}/repos/acme/lake/commits"
    since = httpx.get(url, params={"since": iso(mark)}).json()
    every = httpx.get(url).json()
    assert [c["commit"]["message"] for c in since] == ["Merge branch 'work'"]
    assert len(every) == 7
    merge = every[0]
    assert len(merge["parents"]) == 2
    branch = httpx.get(url, params={"sha": merge["parents"][1]["sha"]}).json()
    assert [c["commit"]["message"] for c in branch[:3]] == ["Branch work 3", "Branch work 2", "Branch work 1"]


def test_commits_by_sha_comparison_and_empty_repository(sim: Simulator) -> None:
    base = f"{sim.github_url}/repos/acme/lake"
    assert httpx.get(f"{base}/commits").status_code == 409
    fill(sim.world, "acme/lake", commits=5)
    shas = [c["sha"] for c in httpx.get(f"{base}/commits").json()]
    assert httpx.get(f"{base}/commits/{shas[2]}").json()["sha"] == shas[2]
    assert httpx.get(f"{base}/commits/main").json()["sha"] == shas[0]
    ahead = httpx.get(f"{base}/compare/{shas[3]}...main").json()
    assert (ahead["status"], ahead["ahead_by"], [c["sha"] for c in ahead["commits"]]) == ("ahead", 3, shas[2::-1])
    sim.world.force_push("acme/lake", drop=2, authors=[ADA])
    diverged = httpx.get(f"{base}/compare/{shas[0]}...main").json()
    assert (diverged["status"], diverged["ahead_by"], diverged["behind_by"]) == ("diverged", 1, 2)
    assert httpx.get(f"{base}/commits?sha=no-such-branch").status_code == 404


def test_items_have_the_shapes_that_readers_rely_on(sim: Simulator) -> None:
    world = sim.world
    bot = User("robot[bot]", 7, "Bot")
    world.commit("acme/lake", PEOPLE[5], "By nobody known")
    world.open_issue("acme/lake", "NUL \u0000 and 🚀", None, labels=["bug", "Bug", ""])
    pull = world.open_pull("acme/lake", "Fix", bot)
    world.merge_pull("acme/lake", pull.number, ADA)
    world.comment("acme/lake", 1, ADA.user)
    world.release("acme/lake", "v1", user("ada"), prerelease=True)
    world.release("acme/lake", "v2", draft=True)
    base = f"{sim.github_url}/repos/acme/lake"
    by_web_flow, by_nobody = httpx.get(f"{base}/commits").json()
    assert by_web_flow["committer"]["login"] == "web-flow"
    assert by_web_flow["commit"]["committer"]["email"] == "noreply@github.com"
    assert by_nobody["author"] is None
    as_issue, issue = httpx.get(f"{base}/{ISSUES}&sort=created").json()
    raw = httpx.get(f"{base}/issues/1").text
    assert "\\u0000" in raw
    assert "\x00" not in raw
    assert "🚀" in raw
    assert (issue["user"], issue["comments"], [label["name"] for label in issue["labels"]]) == (None, 1, ["bug", "Bug", ""])
    assert "pull_request" not in issue
    assert as_issue["pull_request"]["merged_at"] == as_issue["closed_at"]
    assert (as_issue["user"]["type"], as_issue["draft"]) == ("Bot", False)
    (comment,) = httpx.get(f"{base}/issues/comments").json()
    assert comment["issue_url"] == "https://api.github.com/repos/acme/lake/issues/1"
    (release,) = httpx.get(f"{base}/releases").json()
    assert (release["tag_name"], release["prerelease"], release["author"]["login"]) == ("v1", True, "ada")
    repo = httpx.get(base).json()
    assert (repo["open_issues_count"], repo["default_branch"], repo["network_count"]) == (1, "main", 0)
    assert [t["name"] for t in httpx.get(f"{base}/tags").json()] == ["v2", "v1"]


def test_changes_of_issues_arrive_by_updated_at_and_losses_in_no_list(sim: Simulator) -> None:
    world = sim.world
    world.add_repo("acme/pond")
    fill(world, "acme/lake", issues=5)
    world.comment("acme/lake", 4, ADA.user)
    mark = iso(world.now + 1)
    world.close_issue("acme/lake", 1)
    world.reopen_issue("acme/lake", 1)
    world.edit_issue("acme/lake", 2, labels=["late"])
    world.delete_issue("acme/lake", 3)
    moved = world.transfer_issue("acme/lake", 4, "acme/pond")
    base = f"{sim.github_url}/repos/acme/lake"
    changed = httpx.get(f"{base}/{ISSUES}&since={mark}").json()
    assert [(i["number"], i["state"], i["state_reason"], i["closed_at"]) for i in changed] == [
        (2, "open", None, None),
        (1, "open", "reopened", None),
    ]
    assert httpx.get(f"{base}/issues/3").status_code == 410
    assert httpx.get(f"{base}/issues/99").status_code == 404
    assert httpx.get(f"{base}/issues/comments").json() == []
    followed = httpx.get(f"{base}/issues/4", follow_redirects=True).json()
    assert followed["html_url"] == f"https://github.com/acme/pond/issues/{moved.number}"
    assert len(httpx.get(f"{base[:-4]}pond/issues/comments").json()) == 1


def test_a_renamed_repository_moves_for_good_and_keeps_its_id(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", commits=2)
    sim.world.rename_repo("acme/lake", "acme/ocean")
    old = httpx.get(f"{sim.github_url}/repos/acme/lake/commits?per_page=1")
    repo = sim.world.repo("acme/ocean")
    assert old.status_code == 301
    assert old.headers["location"] == f"{sim.github_url}/repositories/{repo.id}/commits?per_page=1"
    followed = httpx.get(f"{sim.github_url}/repos/ACME/lake", follow_redirects=True).json()
    assert (followed["id"], followed["full_name"]) == (repo.id, "acme/ocean")
    assert httpx.get(f"{sim.github_url}/repos/Acme/Ocean").status_code == 200


@pytest.mark.parametrize("status", [404, 410, 451])
def test_a_repository_that_is_gone(sim: Simulator, status: int) -> None:
    sim.world.set_gone("acme/lake", status)
    assert httpx.get(f"{sim.github_url}/repos/acme/lake/releases").status_code == status
    sim.world.set_gone("acme/lake", None)
    assert httpx.get(f"{sim.github_url}/repos/acme/lake/releases").status_code == 200
    assert httpx.get(f"{sim.github_url}/repos/acme/none").status_code == 404


# --- names and statuses that change


def test_a_renamed_account_is_named_by_its_new_login_everywhere_and_no_time_moves(sim: Simulator) -> None:
    world = sim.world
    mara = person("mara")
    assert mara.user is not None
    world.open_issue("acme/lake", "Why?", mara.user)
    pull = world.open_pull("acme/lake", "Fix", mara.user)
    world.comment("acme/lake", 1, mara.user)
    world.merge_pull("acme/lake", pull.number, mara)
    world.release("acme/lake", "v1", mara.user)
    before = {i.number: i.updated_at for i in world.repo("acme/lake").issues.values()}
    base = f"{sim.github_url}/repos/acme/lake"
    etag = httpx.get(f"{base}/{ISSUES}", headers=TOKEN).headers["etag"]
    renamed = world.rename_account(mara.user, "Mara-New")
    world.commit("acme/lake", mara, "Later")
    world.commit("acme/lake", Person("Mara", "mara@other.example", User("mara", 9)), "Somebody else")
    assert renamed == User("Mara-New", mara.user.id)
    assert httpx.get(f"{base}/{ISSUES}", headers=TOKEN | {"If-None-Match": etag}).status_code == 200
    accounts = [
        i["user"] for rest in (ISSUES, "pulls?state=all", "issues/comments") for i in httpx.get(f"{base}/{rest}").json()
    ]
    accounts += [httpx.get(f"{base}/releases").json()[0]["author"]]
    assert {(a["login"], a["id"]) for a in accounts} == {("Mara-New", mara.user.id)}
    authors = [(c["author"]["login"], c["author"]["id"]) for c in httpx.get(f"{base}/commits").json()]
    assert authors == [("mara", 9), ("Mara-New", mara.user.id), ("Mara-New", mara.user.id)]
    assert {i.number: i.updated_at for i in world.repo("acme/lake").issues.values()} == before
    with pytest.raises(ValueError, match="no id"):
        world.rename_account(User("old", None), "new")


def test_noreply_addresses_and_trailers_are_written_as_git_has_them() -> None:
    ada = user("ada")
    assert noreply(ada) == f"{ada.id}+ada@users.noreply.github.com"
    assert with_coauthors("Subject", ADA, Person("B", "b@example.org")).splitlines() == [
        "Subject",
        "",
        "Co-authored-by: Ada <ada@example.org>",
        "Co-authored-by: B <b@example.org>",
    ]


@pytest.mark.parametrize("lists_pulls", [True, False])
def test_issues_that_are_switched_off(sim: Simulator, lists_pulls: bool) -> None:
    world = sim.world
    world.open_issue("acme/lake", "Hidden", ADA.user)
    world.open_pull("acme/lake", "Shown", ADA.user)
    for number in (1, 2):
        world.comment("acme/lake", number, ADA.user)
    world.switch_issues("acme/lake", False, lists_pulls=lists_pulls)
    base = f"{sim.github_url}/repos/acme/lake"
    repo = httpx.get(base).json()
    assert (repo["has_issues"], repo["open_issues_count"]) == (False, 1)
    listed = httpx.get(f"{base}/{ISSUES}")
    if lists_pulls:
        assert [i["number"] for i in listed.json()] == [2]
    else:
        assert listed.status_code == 410
        assert listed.json()["message"] == "Issues has been disabled in this repository."
    assert [p["number"] for p in httpx.get(f"{base}/pulls").json()] == [2]
    assert [c["issue_url"][-1] for c in httpx.get(f"{base}/issues/comments").json()] == ["2"]
    assert [httpx.get(f"{base}/issues/{number}").status_code for number in (1, 2)] == [410, 200]
    world.switch_issues("acme/lake", True)
    assert [i["number"] for i in httpx.get(f"{base}/{ISSUES}").json()] == [2, 1]


def test_archived_and_disabled_repositories_say_so(sim: Simulator) -> None:
    url = f"{sim.github_url}/repos/acme/lake"
    assert [httpx.get(url).json()[flag] for flag in ("archived", "disabled")] == [False, False]
    sim.world.archive("acme/lake")
    sim.world.disable("acme/lake")
    assert [httpx.get(url).json()[flag] for flag in ("archived", "disabled")] == [True, True]
    sim.world.archive("acme/lake", is_archived=False)
    assert httpx.get(url).json()["archived"] is False


def test_dates_of_broken_clocks_are_served_as_they_are(sim: Simulator) -> None:
    sim.world.commit("acme/lake", ADA, "In order")
    sim.world.commit("acme/lake", ADA, "Epoch", authored_at=0)
    sim.world.commit("acme/lake", ADA, "1803", authored_at=epoch(date(1803, 3, 21)))
    sim.world.commit("acme/lake", ADA, "No date", authored_text="58213-04-26T07:34:56Z")
    sim.world.commit("acme/lake", ADA, "2286", epoch(date(2286, 11, 20)), committed_text="never")
    served = httpx.get(f"{sim.github_url}/repos/acme/lake/commits").json()
    by_message = {c["commit"]["message"]: c["commit"] for c in served}
    dates = {message: git["author"]["date"] for message, git in by_message.items()}
    assert dates["Epoch"] == "1970-01-01T00:00:00Z"
    assert dates["1803"] == "1803-03-21T00:00:00Z"
    assert dates["No date"] == "58213-04-26T07:34:56Z"
    assert dates["2286"] == "2286-11-20T00:00:00Z"
    assert by_message["2286"]["committer"]["date"] == "never"
    assert sim.world.now < epoch(date(2026, 2, 1))


def test_imported_items_are_news_with_old_dates(sim: Simulator) -> None:
    world = sim.world
    old = world.now - 400 * DAY
    asked = world.import_issue(
        "acme/lake", "Old", ADA.user, created_at=old, closed_at=old + DAY, comments=[(ADA.user, old - 9)]
    )
    merged = world.import_issue("acme/lake", "Older", ADA.user, created_at=old, merged_at=old - DAY, is_pull=True)
    second, first = httpx.get(f"{sim.github_url}/repos/acme/lake/{ISSUES}").json()
    assert (first["number"], first["created_at"], first["closed_at"]) == (asked.number, iso(old), iso(old + DAY))
    assert (first["state_reason"], first["comments"]) == ("completed", 1)
    assert first["updated_at"] > iso(world.now - DAY)
    assert (second["number"], second["pull_request"]["merged_at"]) == (merged.number, iso(old - DAY))
    (comment,) = httpx.get(f"{sim.github_url}/repos/acme/lake/issues/comments").json()
    assert (comment["created_at"], comment["updated_at"]) == (iso(old - 9), first["updated_at"])


def test_a_script_merges_without_github_noticing(sim: Simulator) -> None:
    pull = sim.world.open_pull("acme/lake", "Improve", ADA.user)
    commit = sim.world.merge_by_script("acme/lake", pull.number, ADA, lag=90)
    assert commit.message == "Improve\n\nCloses #1 from Ada/work."
    (served,) = httpx.get(f"{sim.github_url}/repos/acme/lake/pulls?state=closed").json()
    assert (served["merged_at"], served["closed_at"]) == (None, iso(commit.committed_at + 90))


def test_a_project_status_is_served_and_a_quarantine_hides_the_files(sim: Simulator) -> None:
    world = sim.world
    world.add_package("acme-lake")
    world.upload("acme-lake", "1.0")
    page = httpx.get(f"{sim.simple_url}/acme-lake/").json()
    assert (page["project-status"], len(page["files"]), page["versions"]) == ({"status": "active"}, 2, ["1.0"])
    world.set_status("acme-lake", "deprecated", "Use acme-ocean")
    page = httpx.get(f"{sim.simple_url}/acme-lake/").json()
    assert page["project-status"] == {"status": "deprecated", "reason": "Use acme-ocean"}
    assert len(page["files"]) == 2
    world.set_status("acme-lake", "quarantined")
    page = httpx.get(f"{sim.simple_url}/acme-lake/").json()
    assert (page["project-status"], page["files"], page["versions"]) == ({"status": "quarantined"}, [], [])
    world.set_status("acme-lake", "active")
    assert len(httpx.get(f"{sim.simple_url}/acme-lake/").json()["files"]) == 2


# --- conditional requests and limits


def test_a_304_is_free_with_a_token_only_and_carries_no_link(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", issues=5)
    url = f"{sim.github_url}/repos/acme/lake/{ISSUES}&per_page=2"
    fresh = httpx.get(url, headers=TOKEN)
    etag = fresh.headers["etag"]
    assert "link" in fresh.headers
    assert httpx.get(url).headers["etag"] != etag
    used = sim.quota("made-up").used
    same = httpx.get(url, headers=TOKEN | {"If-None-Match": etag})
    assert (same.status_code, same.content, "link" in same.headers, sim.quota("made-up").used) == (304, b"", False, used)
    assert same.headers["x-ratelimit-remaining"] == fresh.headers["x-ratelimit-remaining"]
    anonymous = httpx.get(url).headers["etag"]
    used = sim.quota(None).used
    assert httpx.get(url, headers={"If-None-Match": anonymous}).status_code == 304
    assert sim.quota(None).used == used + 1
    sim.world.edit_issue("acme/lake", 5, title="new")
    assert httpx.get(url, headers=TOKEN | {"If-None-Match": etag}).status_code == 200


def test_a_full_last_page_keeps_its_etag_when_another_page_follows(sim: Simulator) -> None:
    fill(sim.world, "acme/lake", issues=1)
    for _ in range(2):
        sim.world.comment("acme/lake", 1, ADA.user)
    url = f"{sim.github_url}/repos/acme/lake/issues/comments?sort=created&direction=asc&per_page=2"
    full = httpx.get(url, headers=TOKEN)
    assert "next" not in full.links
    sim.world.comment("acme/lake", 1, ADA.user)
    assert httpx.get(url, headers=TOKEN | {"If-None-Match": full.headers["etag"]}).status_code == 304
    assert "next" in httpx.get(url, headers=TOKEN).links


def test_the_primary_limit_counts_down_and_resets(sim: Simulator) -> None:
    url = f"{sim.github_url}/repos/acme/lake"
    assert httpx.get(url).headers["x-ratelimit-limit"] == "60"
    assert httpx.get(url, headers=TOKEN).headers["x-ratelimit-remaining"] == "4999"
    sim.quota(None).used = 59
    assert httpx.get(url).headers["x-ratelimit-remaining"] == "0"
    refused = httpx.get(url)
    assert (refused.status_code, "rate limit exceeded" in refused.text) == (403, True)
    assert (refused.headers["x-ratelimit-remaining"], "retry-after" in refused.headers) == ("0", False)
    assert httpx.get(f"{sim.github_url}/rate_limit").json()["rate"]["remaining"] == 0
    sim.rules.limit_status = 429
    assert httpx.get(url).status_code == 429
    assert sim.quota_spent() == 3
    sim.quota(None).reset = 0
    assert httpx.get(url).status_code == 200


def test_points_and_simultaneous_requests_are_enforced_on_request(sim: Simulator) -> None:
    url = f"{sim.github_url}/repos/acme/lake"
    sim.rules.points_per_minute = 5
    codes = [httpx.get(url).status_code for _ in range(6)]
    assert codes == [200] * 5 + [403]
    limited = httpx.get(url)
    assert ("secondary rate limit" in limited.text, limited.headers["retry-after"]) == (True, "60")
    sim.reset()
    sim.rules.max_in_flight = 0
    assert httpx.get(url).status_code == 403
    sim.reset()
    sim.rules.bad_tokens = ("made-up",)
    assert httpx.get(url, headers=TOKEN).status_code == 401


def test_the_log_has_each_request_and_no_secret(sim: Simulator) -> None:
    httpx.get(f"{sim.github_url}/repos/acme/lake/{ISSUES}&per_page=3", headers=TOKEN)
    httpx.get(f"{sim.github_url}/repos/acme/none", headers=TOKEN | {"If-None-Match": 'W/"x"'})
    first, second = sim.log
    assert first.target == f"/github/repos/acme/lake/{ISSUES}&per_page=3"
    assert (first.method, first.status, first.quota, first.rows, first.is_conditional) == ("GET", 200, 1, 0, False)
    assert (second.status, second.is_conditional, second.auth == first.auth, second.in_flight) == (404, True, True, 1)
    assert "made-up" not in repr(sim.log)


# --- faults


def commits_url(sim: Simulator) -> str:
    if not sim.world.repo("acme/lake").commits:
        fill(sim.world, "acme/lake", commits=80)
    return f"{sim.github_url}/repos/acme/lake/commits?per_page=80"


def test_a_fault_strikes_as_often_as_scripted(sim: Simulator) -> None:
    url = commits_url(sim)
    sim.faults.add("status", r"GET /github/.*/commits", status=502, times=2, skip=1)
    assert [httpx.get(url).status_code for _ in range(4)] == [200, 502, 502, 200]
    assert [entry.fault for entry in sim.log] == [None, "status", "status", None]
    assert httpx.get(f"{sim.github_url}/repos/acme/lake").status_code == 200


def test_heavy_pages_fail_until_they_are_smaller(sim: Simulator) -> None:
    url = commits_url(sim)
    sim.faults.add("status", "/commits", status=502, times=None, above_per_page=25)
    sizes = (80, 40, 25, 20)
    assert [httpx.get(url.replace("=80", f"={size}")).status_code for size in sizes] == [502, 502, 200, 200]


@pytest.mark.parametrize("kind", ["truncate", "wrong_length", "reset", "reset_body"])
def test_a_broken_transfer_is_seen_as_one(sim: Simulator, kind: str) -> None:
    url = commits_url(sim)
    sim.faults.add(kind, "/commits")
    with pytest.raises(httpx.TransportError):
        httpx.get(url)
    assert len(httpx.get(url).json()) == 80


@pytest.mark.parametrize("kind", ["html", "malformed", "empty"])
def test_a_body_that_is_not_json_comes_with_status_200(sim: Simulator, kind: str) -> None:
    url = commits_url(sim)
    sim.faults.add(kind, "/commits")
    answer = httpx.get(url)
    assert answer.status_code == 200
    with pytest.raises(ValueError):  # noqa: PT011  (each body fails in its own way)
        answer.json()
    assert len(httpx.get(url).json()) == 80


def test_a_shorter_content_length_cuts_the_body(sim: Simulator) -> None:
    url = commits_url(sim)
    sim.faults.add("wrong_length", "/commits", surplus=-10)
    with pytest.raises(json.JSONDecodeError):
        httpx.get(url).json()


@pytest.mark.parametrize("kind", ["stall", "stall_body"])
def test_a_stall_outlasts_the_client(sim: Simulator, kind: str) -> None:
    url = commits_url(sim)
    sim.faults.add(kind, "/commits", seconds=30)
    with pytest.raises(httpx.TimeoutException):
        httpx.get(url, timeout=0.2)
    assert httpx.get(url).status_code == 200


def test_huge_and_bomb_bodies(sim: Simulator) -> None:
    url = commits_url(sim)
    sim.faults.add("huge", "/commits", size=3_000_000)
    sim.faults.add("gzip_bomb", "/commits", size=5_000_000)
    assert len(httpx.get(url).content) == 3_000_000
    bomb = httpx.get(url)
    assert int(bomb.headers["content-length"]) < 100_000
    assert len(bomb.content) == 5_000_002
    assert bomb.json() == []


def test_limits_and_redirects_by_script(sim: Simulator) -> None:
    url = commits_url(sim)
    sim.faults.add("primary", "/commits", seconds=100, status=429)
    sim.faults.add("secondary", "/commits", retry_after=3)
    sim.faults.add("secondary", "/commits", status=429)
    sim.faults.add("redirect", "/commits", location="/github/repos/acme/none")
    sim.faults.add("status", "/commits", status=451)
    primary, with_wait, without_wait, moved, gone = (httpx.get(url) for _ in range(5))
    assert (primary.status_code, primary.headers["x-ratelimit-remaining"]) == (429, "0")
    assert (with_wait.status_code, with_wait.headers["retry-after"]) == (403, "3")
    assert (without_wait.status_code, "retry-after" in without_wait.headers) == (429, False)
    assert (moved.status_code, moved.headers["location"]) == (301, "/github/repos/acme/none")
    assert gone.status_code == 451


def test_random_faults_come_from_their_seed_and_let_the_third_try_through(sim: Simulator) -> None:
    url = commits_url(sim)

    def run(seed: int) -> list[str | None]:
        sim.reset()
        sim.faults.at_random(seed, rate=0.7)
        with httpx.Client() as client:
            for _ in range(60):
                with contextlib.suppress(httpx.TransportError):
                    client.get(url)
        return [entry.fault for entry in sim.log]

    first = run(1)
    assert first == run(1)
    assert first != run(2)
    assert len(set(first)) > 4
    assert all(None in first[i : i + 3] for i in range(len(first) - 2))


def test_an_unknown_fault_is_refused(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        sim.faults.add("gremlin")


# --- pypistats, PyPI and ClickHouse


def test_pypistats_serves_the_last_180_days_of_what_it_has(demo: Simulator) -> None:
    base = f"{demo.pypistats_url}/packages/pyiceberg"
    overall = httpx.get(f"{base}/overall").json()
    assert (overall["package"], overall["type"]) == ("pyiceberg", "overall_downloads")
    days = {row["date"] for row in overall["data"]}
    assert min(days) >= (AS_OF - timedelta(days=180)).isoformat()
    assert max(days) == (AS_OF - timedelta(days=1)).isoformat()
    assert {row["category"] for row in overall["data"]} == {"with_mirrors", "without_mirrors"}
    only = httpx.get(f"{base}/overall", params={"mirrors": "false"}).json()["data"]
    assert only == [row for row in overall["data"] if row["category"] == "without_mirrors"]
    pythons = httpx.get(f"{base}/python_minor").json()["data"]
    systems = httpx.get(f"{base}/system").json()["data"]
    assert {"null", "3.12"} <= {row["category"] for row in pythons}
    assert {"Linux", "null"} <= {row["category"] for row in systems}
    newest = {row["downloads"] for row in only if row["date"] == max(days)}
    assert httpx.get(f"{base}/recent").json()["data"]["last_day"] in newest


def test_pypistats_has_two_answers_for_an_unknown_package(sim: Simulator) -> None:
    base = f"{sim.pypistats_url}/packages/none"
    assert httpx.get(f"{base}/overall").status_code == 404
    assert httpx.get(f"{base}/recent").status_code == 404
    assert httpx.get(f"{base}/system").json() == {"data": [], "package": "none", "type": "system_downloads"}
    assert httpx.get(f"{base}/nothing").status_code == 404


def test_pypistats_corrections_missing_days_and_429(sim: Simulator) -> None:
    world = sim.world
    world.add_package("acme-lake")
    for back in range(1, 5):
        world.set_downloads("acme-lake", "overall", world.date - timedelta(days=back), "without_mirrors", back)
    world.set_downloads("acme-lake", "overall", world.date - timedelta(days=1), "without_mirrors", 100)
    world.remove_download_day("acme-lake", world.date - timedelta(days=3))
    url = f"{sim.pypistats_url}/packages/acme_lake/overall"
    assert [row["downloads"] for row in httpx.get(url).json()["data"]] == [4, 2, 100]
    sim.faults.add("status", "/pypistats/", status=429)
    limited = httpx.get(url)
    assert (limited.status_code, "retry-after" in limited.headers) == (429, False)
    world.set_date(world.date + timedelta(days=178))
    assert [row["downloads"] for row in httpx.get(url).json()["data"]] == [2, 100]


def test_the_simple_page_is_what_pypi_simple_expects(sim: Simulator) -> None:
    world = sim.world
    world.add_package("acme-lake")
    world.upload("acme-lake", "1.0", epoch(date(2025, 6, 1)))
    world.upload("acme-lake", "1.1rc1", sdist=False)
    world.upload("acme-lake", "1.2")
    world.yank("acme-lake", "1.0")
    world.yank("acme-lake", "1.2", "broken")
    with PyPISimple(sim.simple_url) as client:
        page = client.get_project_page("acme-lake")
    assert [(p.version, p.package_type, p.is_yanked, p.yanked_reason) for p in page.packages] == [
        ("1.0", "wheel", True, None),
        ("1.0", "sdist", True, None),
        ("1.1rc1", "wheel", False, None),
        ("1.2", "wheel", True, "broken"),
        ("1.2", "sdist", True, "broken"),
    ]
    first = page.packages[0].upload_time
    assert first is not None
    assert (first.date(), first.utcoffset()) == (date(2025, 6, 1), timedelta())
    url = f"{sim.simple_url}/acme-lake/"
    etag = httpx.get(url).headers["etag"]
    assert httpx.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert httpx.get(f"{sim.simple_url}/none/").status_code == 404


def ask(sim: Simulator, query: str, user: str = "demo", **parameters: object) -> httpx.Response:
    given = {"query": query} | {f"param_{name}": str(value) for name, value in parameters.items()}
    return httpx.get(f"{sim.clickhouse_url}/", params=given, headers={"X-ClickHouse-User": user})


def test_clickhouse_splits_each_day_over_the_versions_that_were_out(demo: Simulator) -> None:
    package = demo.world.package("pyiceberg")
    first = ask(demo, FIRST_DAY_QUERY, project="pyiceberg").json()["data"][0]["first"]
    assert first == min(iso(file.uploaded_at)[:10] for file in package.files.values())
    document = ask(demo, VERSIONS_QUERY, project="pyiceberg", first=AS_OF - timedelta(days=90), last=AS_OF).json()
    assert [(entry["name"], entry["type"]) for entry in document["meta"]] == [
        ("date", "Date"),
        ("version", "String"),
        ("downloads", "UInt32"),
    ]
    assert document["rows"] == len(document["data"])
    days: dict[str, dict[str, int]] = {}
    for row in document["data"]:
        days.setdefault(row["date"], {})[row["version"]] = row["downloads"]
    assert max(days) == (AS_OF - timedelta(days=1)).isoformat()
    for day, counts in days.items():
        assert sum(counts.values()) == package.downloads["overall"][date.fromisoformat(day)]["without_mirrors"]
        assert counts.keys() == {file.version for file in package.files.values() if iso(file.uploaded_at)[:10] <= day}


def test_a_newer_version_gains_and_none_is_forgotten(sim: Simulator) -> None:
    world = sim.world
    package = world.add_package("acme-lake")
    for version, back in (("1.0", 100), ("1.1rc1", 60), ("1.1", 50)):
        world.upload("acme-lake", version, epoch(world.date) - back * DAY)
    for back in range(1, 102):
        world.set_downloads("acme-lake", "overall", world.date - timedelta(days=back), "without_mirrors", 1_000)
    shares = [package.by_version(world.date - timedelta(days=back)) for back in range(101, 0, -1)]
    assert [list(counts) for counts in (shares[0], shares[1], shares[41], shares[-1])] == [
        [],
        ["1.0"],
        ["1.1rc1", "1.0"],
        ["1.1rc1", "1.1", "1.0"],
    ]
    gained = [counts["1.1"] for counts in shares[51:]]
    assert gained == sorted(gained)
    assert (gained[0] < 50, 400 < gained[-1] < 500) == (True, True)
    assert all(0 < counts["1.1rc1"] < 10 for counts in shares[41:])


def test_clickhouse_cuts_a_result_and_has_a_minimum_of_nothing(sim: Simulator) -> None:
    world = sim.world
    world.add_package("acme-lake")
    for number in range(3):
        world.upload("acme-lake", f"1.{number}", epoch(world.date) - 9 * DAY)
    world.set_downloads("acme-lake", "overall", world.date - timedelta(days=1), "without_mirrors", 90)
    sim.rules.result_rows = 2
    whole = {"project": "acme-lake", "first": "2026-01-01", "last": "2026-01-31"}
    document = ask(sim, f"\n{VERSIONS_QUERY}\n".replace(" ", "  "), **whole).json()
    assert (document["rows"], [row["version"] for row in document["data"]]) == (2, ["1.0", "1.1"])
    assert ask(sim, VERSIONS_QUERY, **whole | {"last": "2026-01-13"}).json()["data"] == []
    assert ask(sim, FIRST_DAY_QUERY, project="none").json()["data"] == [{"first": "1970-01-01"}]


@pytest.mark.parametrize(
    ("query", "more", "status", "said"),
    [
        ("SELECT 1", {}, 400, "Code: 62. DB::Exception: Syntax error"),
        (VERSIONS_QUERY.replace("sum", "max"), {}, 400, "Code: 62."),
        (VERSIONS_QUERY, {"last": "2026-02-30"}, 400, "Code: 457."),
        (VERSIONS_QUERY, {}, 400, "Code: 456. DB::Exception: Substitution `last` is not set"),
        (FIRST_DAY_QUERY, {"user": "default"}, 403, "Code: 516."),
    ],
)
def test_clickhouse_refuses_what_it_does_not_know(
    sim: Simulator, query: str, more: dict[str, str], status: int, said: str
) -> None:
    answer = ask(sim, query, **{"project": "acme-lake", "first": "2026-01-01"} | more)
    assert (answer.status_code, answer.text[: len(said)]) == (status, said)
    assert answer.headers["X-ClickHouse-Exception-Code"] == said.split()[1].rstrip(".")


# --- recorded data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recorded data in miniature: three commits, one tag on another branch, two pull requests, three days."""

    def at(day: int) -> str:
        return f"2026-01-{day:02d}T10:00:00Z"

    def commit(sha: str, day: int, parents: list[str]) -> dict[str, Any]:
        git = {"name": "Ada", "email": "ada@example.org", "date": at(day)}
        account = {"login": "ada", "id": None, "type": "User"}
        return {
            "sha": sha,
            "commit": {"author": git, "committer": git, "message": "m\r\n𐍈"},
            "author": account,
            "committer": None,
            "parents": [{"sha": parent} for parent in parents],
        }

    commits = [commit("c", 9, ["b"]), commit("b", 5, ["a"]), commit("a", 1, [])]
    with gzip.open(tmp_path / "acme__lake.commits.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(item) + "\n" for item in commits)
    pull = {"number_repo": "acme/lake", "title": "t", "merge_commit_sha": "b", "author_login": "ada"}
    pulls = [pull | {"number": 2, "merged_at": at(9)}, pull | {"number": 1, "merged_at": at(5)}]
    pulls += [pull | {"number": 1, "merged_at": at(4)}, pull | {"number": 7, "number_repo": "acme/other", "merged_at": at(4)}]
    with gzip.open(tmp_path / "acme__lake.pulls_from_subjects.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(item) + "\n" for item in pulls)
    tag = {"name": "v1.0rc1", "commit": {"sha": "elsewhere"}, "tag_date": at(6)}
    (tmp_path / "acme__lake.tags.jsonl").write_text(json.dumps(tag) + "\n", encoding="utf-8")
    rows = "".join(f"without_mirrors,2026-01-{day:02d},{day}\n" for day in (1, 2, 4))
    (tmp_path / "acme-lake.overall.csv").write_text(f"category,date,downloads\n{rows}", encoding="utf-8")
    return tmp_path


def test_recorded_data_is_served_as_it_was_at_the_end_of_a_day(folder: Path) -> None:
    with Simulator(RecordedWorld(folder, date(2026, 1, 31))) as sim:
        base = f"{sim.github_url}/repos/acme/lake"
        with gzip.open(folder / "acme__lake.commits.jsonl.gz", "rt", encoding="utf-8") as file:
            assert httpx.get(f"{base}/commits").json() == [json.loads(line) for line in file]
        assert [(i["number"], i["merged_at"][:10]) for i in httpx.get(f"{base}/pulls?state=all&sort=created").json()] == [
            (2, "2026-01-09"),
            (1, "2026-01-05"),
        ]
        sim.world.set_date(date(2026, 1, 5))
        assert [c["sha"] for c in httpx.get(f"{base}/commits").json()] == ["b", "a"]
        assert [i["number"] for i in httpx.get(f"{base}/issues?state=all").json()] == [1]
        assert httpx.get(f"{base}/releases").json() == []
        assert len(httpx.get(f"{sim.pypistats_url}/packages/acme-lake/overall").json()["data"]) == 3
        sim.world.set_date(date(2026, 1, 6))
        (release,) = httpx.get(f"{base}/releases").json()
        assert (release["tag_name"], release["prerelease"]) == ("v1.0rc1", True)
        assert httpx.get(f"{base}/commits?sha=v1.0rc1").status_code == 404


def test_a_folder_without_recorded_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RecordedWorld(tmp_path, AS_OF)


# --- as a program


def simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("GITHUB_TOKEN", "AS_OF", "DEMO")}
    return subprocess.run(
        # Isolated from site-packages: the cluster runs it in a bare Python container.
        [sys.executable, "-S", "-m", "lakepulse_simulator", *arguments],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_exec_points_a_command_at_itself_and_passes_on_its_exit_code() -> None:
    program = (
        "import os, sys, urllib.request as u; e = os.environ;"
        "repo = u.urlopen(e['GITHUB_API_URL'] + '/repos/acme/lake').read();"
        "print(e['DEMO'], e['GITHUB_TOKEN'], e['CLICKHOUSE_URL'], e['PYPI_SIMPLE_URL'], len(repo) > 99);"
        "print(u.urlopen(e['PYPISTATS_API_URL'] + '/packages/acme-lake/system').read().decode()); sys.exit(75)"
    )
    ended = simulate("exec", "--world", "tiny", "--seed", "3", "--", sys.executable, "-c", program, AS_OF="2026-02-03")
    assert ended.returncode == 75, ended.stderr
    first, second = ended.stdout.splitlines()
    assert first.startswith("1 demo-token-of-the-simulator http://127.0.0.1:")
    assert first.endswith("True")
    assert '"date":"2026-02-02"' in second
    assert ended.stderr.count("\n") == 1
    assert "of 2026-02-03" in ended.stderr


def test_exec_of_the_demo_names_its_projects_unless_others_are_set() -> None:
    program = "import os; print(os.environ.get('PROJECTS'))"
    command = ("--date", "2023-10-03", "--", sys.executable, "-c", program)
    kept = {key: value for key, value in os.environ.items() if key != "PROJECTS"}
    found = [
        subprocess.run(
            [sys.executable, "-S", "-m", "lakepulse_simulator", "exec", *options, *command],
            cwd=ROOT,
            env=kept | more,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()
        for options, more in (((), {}), ((), {"PROJECTS": "mine.yaml"}), (("--world", "tiny"), {}))
    ]
    assert found == [str(ROOT / "images" / "simulator" / "demo-projects.yaml"), "mine.yaml", "None"]


def test_exec_without_a_token() -> None:
    program = "import os, sys; sys.exit('GITHUB_TOKEN' in os.environ)"
    arguments = ("exec", "--world", "tiny", "--no-token", "--", sys.executable, "-c", program)
    assert simulate(*arguments, GITHUB_TOKEN="real").returncode == 0
    kept = "import os, sys; sys.exit(os.environ['GITHUB_TOKEN'] != 'mine')"
    assert simulate("exec", "--world", "tiny", "--", sys.executable, "-c", kept, GITHUB_TOKEN="mine").returncode == 0


def test_serve_answers_until_it_is_stopped() -> None:
    command = [sys.executable, "-S", "-m", "lakepulse_simulator", "serve", "--world", "tiny", "--date", "2026-02-03"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[1]
        assert httpx.get(f"{address}/_simulator/health").json() == {"date": "2026-02-03", "repos": 2}
        process.terminate()
        assert process.wait(timeout=30) == 128 + signal.SIGTERM


def test_exec_ends_its_command_when_it_is_stopped(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    program = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    command = [
        sys.executable,
        "-S",
        "-m",
        "lakepulse_simulator",
        "exec",
        "--world",
        "tiny",
        "--",
        sys.executable,
        "-c",
        program,
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        while not noted.exists() or not noted.read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


def test_bad_arguments_are_one_line_and_an_exit_code(tmp_path: Path) -> None:
    assert simulate("exec").returncode == 2
    missing = simulate("exec", "--data", str(tmp_path / "none"), "--", "true")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert simulate("exec", "--world", "tiny", "--", "no-such-program").returncode == 127


def test_tests_elsewhere_can_steer_a_running_simulator(sim: Simulator) -> None:
    control = f"{sim.url}/_simulator"
    assert httpx.post(f"{control}/date", json={"date": "2026-03-01"}).json() == {"date": "2026-03-01"}
    httpx.post(f"{control}/faults", json={"kind": "status", "match": "/repos/", "status": 500, "times": None})
    assert httpx.get(f"{sim.github_url}/repos/acme/lake").status_code == 500
    httpx.delete(f"{control}/faults")
    assert httpx.get(f"{sim.github_url}/repos/acme/lake").status_code == 200
    assert [entry["status"] for entry in httpx.get(f"{control}/log").json()] == [500, 200]
    httpx.delete(f"{control}/log")
    assert sim.log == []
    assert httpx.get(f"{control}/health").json()["date"] == "2026-03-01"


def test_other_loaders_can_query_the_ids_of_repositories(sim: Simulator) -> None:
    query = 'query {repo0: repository(name: "lake", owner: "acme") { nameWithOwner databaseId } rateLimit { cost } }'
    answer = httpx.post(f"{sim.github_url}/graphql", json={"query": query}, headers=TOKEN)
    repo = sim.world.repo("acme/lake")
    expected = {"repo0": {"nameWithOwner": "acme/lake", "databaseId": repo.id}, "rateLimit": {"cost": 1}}
    assert answer.json() == {"data": expected}
    assert httpx.post(f"{sim.github_url}/repos/acme/lake", headers=TOKEN).status_code == 405
