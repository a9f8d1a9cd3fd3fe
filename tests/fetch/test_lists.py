"""What a fetch lands, what it costs, and what it finds the next time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise

import httpx
import pytest

from lakepulse.outcome import TemporaryError
from lakepulse.sources import SOURCES
from lakepulse_simulator import Simulator, World, tiny_world
from lakepulse_simulator.tiny import PEOPLE
from tests.fetch.lab import CORE, GITHUB, KEY, Kill, Lab, Line, ends, keys, landed, rows, truth

Labs = Callable[..., Lab]
REPO = "acme/lake"


def agrees(lab: Lab, sources: tuple[str, ...] = CORE) -> None:
    """Landings say what upstream has."""
    for source in sources:
        scopes = lab.projects[0].repos if source in GITHUB else lab.projects[0].packages
        for scope in scopes:
            said, true = landed(lab.store, source, scope), truth(lab.world, source, scope)
            if source == "github_repo":
                assert said[lab.world.date.isoformat()] == true[lab.world.date.isoformat()]
            elif source == "pypi_releases":
                assert said.keys() == true.keys()
            else:
                assert said == true, (source, scope)


class Timed(Line):
    """A line that notes when each request came, in a world whose time passes by waiting alone."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.simulator)
        self.clock, self.times = lab.clock, list[float]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.times.append(self.clock.slept)
        return super().handle_request(request)


class Misled(Line):
    """A line whose answers about issues have another header, or are an error."""

    def __init__(self, simulator: Simulator, header: str = "", value: str = "", *, status: int = 0, body: bytes = b"") -> None:
        super().__init__(simulator)
        self.header, self.value, self.status, self.body = header, value, status, body

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = super()._answer(request)
        if not request.url.path.endswith("/issues"):
            return answer
        if self.status:
            return httpx.Response(self.status, stream=httpx.ByteStream(self.body))
        answer.headers[self.header] = self.value
        answer.status_code = 301 if self.header == "location" else 200
        return answer


def big_world(commits: int, issues: int, comments: int) -> World:
    world = tiny_world(repos=(REPO,), packages=())
    repo = world.repo(REPO)
    for _ in range(commits - len(repo.commits)):
        world.commit(REPO, PEOPLE[0])
    while len(repo.issues) < issues:
        world.open_issue(REPO)
    while len(repo.comments) < comments:
        world.comment(REPO, 1 + len(repo.comments) % issues, None)
    return world


def test_no_source_is_left_out() -> None:
    assert {*CORE, "import_versions"} == set(SOURCES)  # that one reads files, and has tests of its own


@pytest.mark.parametrize("page_size", [100, 3])
def test_first_load_lands_everything(lab: Labs, page_size: int) -> None:
    at = lab(tiny_world(), page_size)
    at.run()
    agrees(at)


def test_backfill_costs_the_least_possible_and_the_next_runs_nothing(lab: Labs) -> None:
    at = lab(big_world(4_150, 2_480, 6_120))
    least = 1 + 42 + 25 + 62 + 1 + 1  # repository, commits, issues, comments, pulls, releases
    at.run()
    assert at.spent() == (least, least)
    agrees(at, GITHUB)
    for _ in range(3):
        at.world.set_date(at.world.date + timedelta(days=1))
        at.run()
        requests, quota = at.spent()
        assert quota == 0
        assert requests == len(GITHUB)
    assert at.report().quota == 0


def test_lists_of_exactly_full_pages_cost_nothing_when_nothing_is_new(lab: Labs) -> None:
    at = lab(big_world(200, 100, 300))
    at.run()
    at.run()
    at.spent()
    at.run(sweep=True)
    at.spent()
    at.run(sweep=True)
    assert at.spent()[1] == 0
    at.world.comment(REPO, 1, None)
    at.world.open_issue(REPO)
    at.run(sweep=True)
    agrees(at, GITHUB)


def test_edited_closed_and_reopened_issues_arrive(lab: Labs) -> None:
    at = lab(tiny_world(), 3)
    at.run()
    number = next(i.number for i in at.world.repo(REPO).issues.values() if not i.is_pull)
    at.world.edit_issue(REPO, number, title="Edited", labels=["a"])
    at.run()
    agrees(at)
    at.world.close_issue(REPO, number)
    at.run()
    agrees(at)
    at.world.reopen_issue(REPO, number)
    at.run()
    agrees(at)


def test_commits_merged_late_arrive_whatever_their_dates(lab: Labs) -> None:
    at = lab(big_world(30, 1, 0), 5)
    at.run()
    at.world.set_date(at.world.date + timedelta(days=40))
    at.world.merge_late(REPO, [PEOPLE[0], PEOPLE[1]] * 4, days_ago=80)
    for _ in range(12):
        at.world.commit(REPO, PEOPLE[2])
    at.run()
    agrees(at, ("github_commits",))


def test_a_branch_merged_late_is_jumped_to_and_not_walked_to(lab: Labs) -> None:
    world = tiny_world(repos=(REPO,), packages=())
    for _ in range(600):
        world.now += 6 * 3600
        world.commit(REPO, PEOPLE[0])
    at = lab(world, 10)
    at.run(sources=("github_repo", "github_commits"))
    at.world.merge_late(REPO, [PEOPLE[0], PEOPLE[1]], days_ago=120)
    at.spent()
    at.run(sources=("github_repo", "github_commits"))
    assert at.spent()[0] <= 5
    agrees(at, ("github_commits",))


def test_commits_that_share_one_second_all_arrive(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.run()
    at.world.commit_many(REPO, [PEOPLE[0]] * 642)
    at.run()
    agrees(at)


def test_an_event_in_the_future_does_not_poison_the_watermark(lab: Labs) -> None:
    at = lab(big_world(5, 40, 10), 5)
    future = at.world.now + 10 * 365 * 86_400
    at.world.open_issue(REPO, "From the future", at=future)
    at.world.comment(REPO, 1, None, at=future)
    at.run()
    for source in ("github_issues", "github_comments"):
        watermark = at.manifests(source, REPO)[-1].watermark
        assert watermark is not None
        assert watermark.timestamp() < at.world.now
        last_event = at.manifests(source, REPO)[-1].last_event_at
        assert last_event is not None
        assert last_event.timestamp() <= at.world.now
    for number in range(2, 20):
        at.world.edit_issue(REPO, number, title=f"Edit {number}")
    at.run()
    agrees(at)


def test_news_behind_a_page_full_of_the_future_is_found(lab: Labs) -> None:
    at = lab(big_world(5, 12, 5), 3)
    for number in range(1, 5):
        at.world.edit_issue(REPO, number, at=at.world.now + 400 * 86_400)
    at.run()
    at.world.edit_issue(REPO, 9, title="News")
    at.run()
    agrees(at)


def test_a_local_clock_that_is_ahead_does_not_move_the_watermark_ahead(lab: Labs) -> None:
    at = lab(big_world(5, 40, 10), 5)
    at.world.open_issue(REPO, "From the future", at=at.world.now + 3 * 365 * 86_400)
    at.clock.skew = timedelta(days=2 * 365)
    at.run()
    for number in range(2, 20):
        at.world.edit_issue(REPO, number, title=f"Edit {number}")
    at.clock.skew = timedelta(days=-30)
    at.run()
    agrees(at)


@pytest.mark.parametrize("page_size", [100, 2])
def test_a_sweep_finds_what_was_deleted_upstream(lab: Labs, page_size: int) -> None:
    at = lab(big_world(5, 12, 20), page_size)
    at.run()
    at.run(sweep=True)
    at.world.delete_issue(REPO, 3)
    at.world.delete_comment(REPO, next(iter(at.world.repo(REPO).comments)))
    at.run()
    assert 3 in landed(at.store, "github_issues", REPO)
    at.run(sweep=True)
    agrees(at, ("github_issues", "github_comments", "github_releases"))


def test_the_sweep_comes_weekly_by_itself(lab: Labs) -> None:
    at = lab(big_world(5, 12, 20))
    at.run()
    at.world.delete_issue(REPO, 3)
    for day in range(1, 8):
        at.world.set_date(at.world.date + timedelta(days=1))
        at.run()
        assert at.manifests("github_issues", REPO)[-1].has_keys == (day == 7)
    assert 3 not in landed(at.store, "github_issues", REPO)
    at.spent()
    at.run(sweep=True)
    assert at.spent()[1] == 0


def test_a_transferred_issue_arrives_in_its_new_repo_and_leaves_the_old_one(lab: Labs) -> None:
    at = lab(tiny_world())
    number = at.world.open_issue(REPO, "Wrong place").number
    at.world.comment(REPO, number, None)
    at.run()
    at.world.transfer_issue(REPO, number, "acme/pond")
    at.run(sweep=True)
    agrees(at)


def test_a_force_push_is_seen_by_the_next_run(lab: Labs) -> None:
    at = lab(big_world(30, 1, 0), 7)
    at.run()
    at.world.force_push(REPO, 4, [PEOPLE[0]])
    at.run()
    agrees(at, ("github_commits",))
    at.world.force_push(REPO, 2)  # back to a commit that is known
    at.run()
    agrees(at, ("github_commits",))
    assert at.manifests("github_commits", REPO)[-1].has_keys


def test_deleted_releases_and_files_leave_at_the_next_run(lab: Labs) -> None:
    at = lab(tiny_world())
    at.world.release(REPO, "v9", None)
    at.run()
    at.world.delete_release(REPO, next(iter(at.world.repo(REPO).releases)))
    package = at.world.package("acme-lake")
    at.world.delete_file("acme-lake", next(iter(package.files)))
    at.world.yank("acme-lake", "1.1", "broken")
    at.run()
    agrees(at)
    yanked = [row for row in landed(at.store, "pypi_releases", "acme-lake").values() if row["is_yanked"]]
    assert {row["yanked_reason"] for row in yanked} == {"broken"}


def test_a_release_of_an_old_tag_behind_a_full_last_page_arrives(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)), page_size=5)
    releases = at.world.repo(REPO).releases
    while len(releases) % 5 or not releases:
        at.world.release(REPO, f"v{len(releases) + 10}", None)
    at.run()
    for _ in range(3):
        at.spent()
        at.run(sources=("github_releases",))
        assert at.spent()[1] == 0
        for _ in range(5):  # to the next full page
            at.world.release(REPO, f"v0-{len(releases)}", None, created_at=at.world.now - 500 * 86_400 - len(releases))
            at.run(sources=("github_releases",))
            agrees(at, ("github_releases",))
    for release in list(releases)[-5:]:
        at.world.delete_release(REPO, release)
    at.run()
    agrees(at, ("github_releases",))


def test_a_list_of_as_many_releases_as_github_pages_through_ends_there(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)), page_size=5)
    releases = at.world.repo(REPO).releases
    while len(releases) < 10:
        at.world.release(REPO, f"v{len(releases) + 10}", None)
    at.simulator.faults.add("status", "/releases.*page=3", times=None, status=422, message="Only the first 10000 results")
    at.run()
    at.run()
    agrees(at, ("github_releases",))


def test_a_renamed_repo_keeps_one_history_and_its_id(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.run()
    at.world.rename_repo(REPO, "acme/ocean")
    at.world.open_issue("acme/ocean", "After the move")
    at.run()
    at.run()
    for source in GITHUB:
        said = at.manifests(source, REPO)
        assert {manifest.upstream_id for manifest in said} == {at.world.repo("acme/ocean").id}
        assert said[-1].upstream_name == "acme/ocean"
    assert landed(at.store, "github_issues", REPO).keys() == truth(at.world, "github_issues", "acme/ocean").keys()
    at.spent()
    at.run()
    assert at.spent()[1] == 0


def test_a_repo_that_takes_a_listed_name_does_not_mix_with_the_renamed_one(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.run()
    first = at.world.repo(REPO).id
    at.world.rename_repo(REPO, "acme/ocean")
    at.world.add_repo(REPO, repo_id=99)
    at.run()
    assert {manifest.upstream_id for manifest in at.manifests("github_repo", REPO)} == {first}


@pytest.mark.parametrize("status", [403, 404, 410, 451])
def test_a_repo_that_never_existed_does_not_stop_the_others(lab: Labs, status: int) -> None:
    at = lab(tiny_world())
    at.world.set_gone(REPO, status)
    at.run()
    assert {at.manifests(source, REPO)[-1].status for source in GITHUB} == {"gone"}
    assert landed(at.store, "github_issues", "acme/pond") == truth(at.world, "github_issues", "acme/pond")


@pytest.mark.parametrize(
    ("name", "value"), [("link", '<http://[::1>; rel="next"'), ("location", "http://[::1"), ("location", "http://a:b/")]
)
def test_an_invalid_link_is_a_bad_answer_of_its_list_alone(lab: Labs, name: str, value: str) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.line = Misled(at.simulator, name, value)
    with pytest.raises(TemporaryError) as caught:
        at.run()
    assert str(caught.value).startswith(f"github_issues {REPO}: ")
    assert "run again later" in str(caught.value)
    at.line = Line(at.simulator)
    at.run()
    agrees(at)


@pytest.mark.parametrize("status", [404, 422])
def test_an_error_of_deeply_nested_json_stops_no_other_list(lab: Labs, status: int) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    at.line = Misled(at.simulator, status=status, body=b"[" * 100_000)
    said = ends(at.run)
    assert said == ("done" if status == 404 else f"github_issues {REPO}: {said.partition(': ')[2]}")
    at.line = Line(at.simulator)
    at.run()
    agrees(at)


@pytest.mark.parametrize("status", [403, 404, 410, 451])
def test_one_repo_that_is_gone_does_not_stop_the_others(lab: Labs, status: int) -> None:
    at = lab(tiny_world())
    at.run()
    at.world.set_gone(REPO, status)
    at.world.open_issue("acme/pond", "Still here")
    at.run()
    for source in GITHUB:
        last = at.manifests(source, REPO)[-1]
        assert last.status == "gone"
        assert str(status) in (last.status_detail or "")
    assert landed(at.store, "github_issues", "acme/pond") == truth(at.world, "github_issues", "acme/pond")
    at.world.set_gone(REPO, None)
    at.world.open_issue(REPO, "Back")
    at.run()
    agrees(at)


def test_a_repo_without_commits_is_empty_and_not_an_error(lab: Labs) -> None:
    world = tiny_world(repos=())
    world.add_repo(REPO)
    at = lab(world)
    at.run()
    at.world.commit(REPO, PEOPLE[0])
    at.run()
    agrees(at)


def test_a_run_older_than_the_last_snapshot_takes_none(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,)))
    today = at.world.date
    at.run()
    at.run(as_of=today - timedelta(days=1))
    assert [m.as_of for m in at.manifests("github_repo", REPO)] == [today]
    at.world.set_date(today + timedelta(days=1))
    at.run()
    assert len(landed(at.store, "github_repo", REPO)) == 2  # 304, and yet a snapshot of the new day


def test_downloads_land_again_only_if_they_changed(lab: Labs) -> None:
    world = tiny_world(packages=("acme-lake", "acme-twin"))
    for package in ("acme-lake", "acme-twin"):  # equal counts must not collide
        for back in range(1, 8):
            world.set_downloads(package, "overall", world.date - timedelta(days=back), "without_mirrors", 7)
    at = lab(world)
    at.run()
    agrees(at)
    at.run()
    assert at.manifests("pypistats_overall", "acme-lake")[-1].pages == ()
    yesterday = at.world.date - timedelta(days=1)
    at.world.set_downloads("acme-lake", "overall", yesterday, "without_mirrors", 999)
    at.world.remove_download_day("acme-lake", yesterday - timedelta(days=1))
    at.run()
    assert at.manifests("pypistats_overall", "acme-lake")[-1].rows > 0
    assert at.manifests("pypistats_overall", "acme-twin")[-1].rows == 0
    said = landed(at.store, "pypistats_overall", "acme-lake")
    assert said[("without_mirrors", yesterday.isoformat())]["downloads"] == 999
    kept = (yesterday - timedelta(days=1)).isoformat()
    assert ("without_mirrors", kept) in said  # a day that is no longer served keeps its last value


def test_downloads_older_than_the_window_are_kept(lab: Labs) -> None:
    at = lab(tiny_world())
    at.run()
    before = landed(at.store, "pypistats_overall", "acme-lake")
    at.world.set_date(at.world.date + timedelta(days=200))
    at.run()
    assert truth(at.world, "pypistats_overall", "acme-lake") == {}
    assert landed(at.store, "pypistats_overall", "acme-lake") == before


def test_an_unknown_package_is_gone_and_the_others_continue(lab: Labs) -> None:
    world = tiny_world(packages=("acme-lake", "acme-none"))
    world.package("acme-none").is_gone = True
    at = lab(world)
    at.run()
    for source in ("pypistats_overall", "pypi_releases"):
        assert at.manifests(source, "acme-none")[-1].status == "gone"
        assert at.manifests(source, "acme-lake")[-1].status == "ok"


@pytest.mark.parametrize("tokens", [1, 2, 3, 5])
def test_shards_share_scopes_and_tokens_without_overlap(lab: Labs, tokens: int) -> None:
    names = tuple(f"acme/lake{number}" for number in range(12))
    packages = tuple(f"acme-lake{number}" for number in range(12))
    at = lab(tiny_world(repos=names, packages=packages))
    at.token = ",".join(f"token-{number}" for number in range(tokens))
    seen: list[set[str]] = []
    used: list[set[str | None]] = []
    loads: list[int] = []
    for index in range(3):
        del at.simulator.log[:]
        at.run(("github_repo", "github_commits", "pypistats_overall", "pypi_releases"), shard=f"{index}/3")
        seen.append({name for name in names if at.manifests("github_repo", name)} - set().union(*seen))
        used.append({entry.auth for entry in at.simulator.log if entry.target.startswith("/github")})
        loads.append(sum(entry.target.startswith("/pypistats") for entry in at.simulator.log))
    assert set().union(*seen) == set(names)
    assert all(len(at.manifests("github_repo", name)) == 1 for name in names)
    assert [bool(share) for share in seen] == [index < tokens for index in range(3)]
    assert sum(map(len, used)) == len(set().union(*used)), "a token that two pods use sends two requests at a time"
    assert loads[0] > 0
    assert loads[1:] == [0, 0], "pypistats limits by address, which all pods share"
    assert all(len(at.manifests("pypi_releases", name)) == 1 for name in packages)


def test_lookback_cuts_a_first_load_and_a_later_run_goes_deeper(lab: Labs) -> None:
    at = lab(big_world(40, 40, 40), 5)
    at.world.set_date(at.world.date + timedelta(days=300))
    for _ in range(7):
        at.world.open_issue(REPO)
        at.world.commit(REPO, PEOPLE[0])
    at.run(lookback=10)
    issues = at.manifests("github_issues", REPO)[-1]
    commits = at.manifests("github_commits", REPO)[-1]
    assert issues.covered_from is not None
    assert commits.covered_from is not None
    assert issues.rows < 47
    at.run()
    agrees(at, GITHUB)
    assert at.manifests("github_issues", REPO)[-1].covered_from is None
    assert at.manifests("github_commits", REPO)[-1].covered_from is None


def test_without_a_token_runs_stay_within_the_hour_and_go_deeper_each_time(lab: Labs) -> None:
    at = lab(big_world(900, 900, 900), 20, token=None)
    spent = []
    for _ in range(8):
        at.run()
        spent.append(at.spent()[0])
        assert at.manifests("github_repo", REPO)
        assert at.manifests("github_releases", REPO)
        at.simulator.quotas.clear()  # the next hour
    assert all(requests <= 60 for requests in spent)
    first = {source: at.manifests(source, REPO)[0] for source in ("github_commits", "github_issues", "github_comments")}
    assert all(manifest.covered_from for manifest in first.values())
    assert all(manifest.rows >= 60 for manifest in first.values())  # a fair share each, newest first
    newest = max(row["updated_at"] for row in truth(at.world, "github_issues", REPO).values())
    assert rows(at.store, first["github_issues"])[0]["updated_at"] == newest
    agrees(at, GITHUB)
    assert all(at.manifests(source, REPO)[-1].covered_from is None for source in first)


def test_without_a_token_and_without_quota_the_run_is_not_a_success(lab: Labs) -> None:
    at = lab(tiny_world(repos=(REPO,), packages=()), token=None)
    at.simulator.quota(None).used = 60
    assert "no requests without a token are left" in ends(at.run) or "used up" in ends(at.run)


@pytest.mark.parametrize("is_after", [True, False])
def test_a_kill_at_any_point_hides_no_deletion(lab: Labs, is_after: bool) -> None:
    step, how = 0, "killed"
    while how == "killed":
        step += 1
        at = lab(tiny_world(repos=(REPO,)), 3)
        repo = at.world.repo(REPO)
        repo.releases.clear()
        release = at.world.release(REPO, "v1", None)
        number = at.world.open_issue(REPO).number
        comment = at.world.comment(REPO, 1, None).id
        at.run()
        at.run(sweep=True)
        at.world.delete_release(REPO, release.id)
        at.world.delete_issue(REPO, number)
        at.world.delete_comment(REPO, comment)
        at.world.force_push(REPO, 2)
        at.world.delete_file("acme-lake", next(iter(at.world.package("acme-lake").files)))
        how = ends(partial(at.run, sweep=True, kill=Kill(step, is_after)))
        at.run()
        exact = ("github_releases", "github_commits", "pypi_releases")
        agrees(at, exact)
        at.run(sweep=True)
        agrees(at, (*exact, "github_issues", "github_comments"))
    assert step > 60


def test_keys_name_every_item_of_a_full_listing(lab: Labs) -> None:
    at = lab(big_world(5, 12, 20), 2)
    at.run(sweep=True)
    for source in ("github_issues", "github_comments", "github_releases", "github_commits"):
        last = at.manifests(source, REPO)[-1]
        assert last.has_keys
        assert keys(at.store, last) == {item[KEY[source]] for item in truth(at.world, source, REPO).values()}


@pytest.mark.parametrize("is_after", [True, False])
def test_a_kill_repeats_one_page_at_most(lab: Labs, is_after: bool) -> None:
    def world() -> World:
        return big_world(13, 13, 13)

    undisturbed = lab(world(), 5)
    undisturbed.run(sources=GITHUB)
    least = undisturbed.spent()[0]
    step, how = 0, "killed"
    while how == "killed":
        step += 1
        at = lab(world(), 5)
        how = ends(partial(at.run, sources=GITHUB, kill=Kill(step, is_after)))
        at.run(sources=GITHUB)
        pages = [entry for entry in at.simulator.log if entry.status == 200]
        assert len(pages) <= least + 1, step
        agrees(at, GITHUB)
    assert step > 60


@pytest.mark.parametrize(
    ("most", "what"), [(50, "/issues\\?"), (25, "/issues/comments"), (1, "/commits"), (5, "/releases|/pulls")]
)
def test_pages_that_are_too_heavy_are_halved(lab: Labs, most: int, what: str) -> None:
    at = lab(big_world(230, 230, 230))
    for number in range(12):
        at.world.release(REPO, f"v{number}", None)
    at.simulator.faults.add("status", f"{what}.*", times=None, status=502, above_per_page=most)
    at.run()
    agrees(at, GITHUB)
    at.run(sweep=True)
    agrees(at, GITHUB)
    at.spent()
    at.simulator.faults.clear()
    at.world.open_issue(REPO)
    at.run()
    agrees(at, GITHUB)


def test_one_heavy_page_does_not_make_the_others_small(lab: Labs) -> None:
    at = lab(big_world(5, 5, 1_000))
    at.simulator.faults.add("status", "/issues/comments.*&page=4", times=2, status=502)
    at.run(sources=("github_repo", "github_comments"))
    assert at.spent()[0] == 1 + 10 + 2 + 1  # repository, pages, failures, one page in two halves
    assert landed(at.store, "github_comments", REPO) == truth(at.world, "github_comments", REPO)


def test_a_backfill_that_ran_out_of_quota_continues_where_it_stopped(lab: Labs) -> None:
    undisturbed = lab(big_world(300, 300, 300), 10)
    undisturbed.run(sources=GITHUB)
    least = undisturbed.spent()[0]
    at = lab(big_world(300, 300, 300), 10)
    pages = 0
    for _ in range(10):
        at.simulator.quota("token-one").used = 5_000 - 20
        how = ends(partial(at.run, sources=GITHUB, max_wait_seconds=0))
        pages += sum(entry.status == 200 for entry in at.simulator.log)
        at.spent()
        at.simulator.quotas.clear()
        if how == "done":
            break
        assert "longer than MAX_WAIT_SECONDS" in how
    agrees(at, GITHUB)
    assert pages == least


def test_a_page_link_that_went_stale_is_walked_again(lab: Labs) -> None:
    at = lab(big_world(5, 40, 5), 5)
    killed = ends(partial(at.run, sources=("github_repo", "github_issues"), kill=Kill(16, is_after=True)))
    assert killed == "killed"
    at.simulator.faults.add("status", "after=", status=422, message="Validation Failed")
    at.run(sources=("github_repo", "github_issues"))
    assert landed(at.store, "github_issues", REPO) == truth(at.world, "github_issues", REPO)


def spread_comments(count: int) -> World:
    """Comments hours apart, so that the walk's overlap does not cover them all."""
    world = big_world(5, 5, 0)
    for comment in list(world.repo(REPO).comments):
        world.delete_comment(REPO, comment)
    for number in range(count):
        world.now += 2 * 3600
        world.comment(REPO, 1 + number % 5, None)
    return world


def delete_newest_comment(world: World, place: int) -> None:
    repo = world.repo(REPO)
    newest_first = sorted(repo.comments.values(), key=lambda c: (-c.updated_at, -c.id))
    del repo.comments[newest_first[place].id]
    repo.version += 1


@pytest.mark.parametrize("victims", range(1, 8))
def test_deletions_between_a_kill_and_the_rerun_move_no_comment_past_it(lab: Labs, victims: int) -> None:
    at = lab(spread_comments(40), 3)
    sources = ("github_repo", "github_comments")
    assert ends(partial(at.run, sources=sources, kill=Kill(24, is_after=True))) == "killed"
    for _ in range(victims):
        delete_newest_comment(at.world, 0)
    at.run(sources=sources)
    said, true = landed(at.store, "github_comments", REPO), truth(at.world, "github_comments", REPO)
    assert {key for key, item in true.items() if said.get(key) != item} == set()


@pytest.mark.parametrize("after", range(2, 16))
def test_a_comment_that_moves_while_a_sweep_reads_is_not_taken_for_deleted(lab: Labs, after: int) -> None:
    at = lab(spread_comments(40), 3)
    sources = ("github_repo", "github_comments")
    at.run(sources=sources)
    at.line.meanwhile = (after, partial(delete_newest_comment, at.world, 38))  # an old one: all others move
    at.run(sources=sources, sweep=True)
    assert at.line.meanwhile is None
    assert landed(at.store, "github_comments", REPO) == truth(at.world, "github_comments", REPO)


def test_a_lost_state_costs_requests_and_no_data(lab: Labs) -> None:
    at = lab(tiny_world())
    at.run()
    for batch in at.store.list(prefix="state"):
        for entry in batch:
            at.store.delete(entry["path"])
    at.world.open_issue(REPO, "After the loss")
    at.run()
    agrees(at)
    assert [m.landing_id[-1] for m in at.manifests("github_issues", REPO)] == ["1", "2"]


def test_a_damaged_state_is_one_clear_line(lab: Labs) -> None:
    at = lab(tiny_world())
    at.run()
    at.store.put("state/github_issues/acme__lake.json", b"{ nonsense")
    assert "state/github_issues/acme__lake.json: damaged" in ends(at.run)
    assert landed(at.store, "github_issues", REPO) == truth(at.world, "github_issues", REPO)


def test_fifty_repos_keep_900_points_a_minute_and_wait_no_longer_than_that_takes(
    lab: Labs, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tiny_world(repos=tuple(f"acme/lake{number}" for number in range(50)), packages=())
    for repo in world.repos.values():
        world.commit_many(repo.name, [PEOPLE[0]] * 20)
    at = lab(world, page_size=1)
    line = at.line = Timed(at)
    monkeypatch.setattr(at.clock, "monotonic", lambda: at.clock.slept)
    at.run()
    sent = len(line.times)
    assert sent > 1_800
    assert max(bisect_left(line.times, time + 60) - number for number, time in enumerate(line.times)) <= 900
    least = 60 * ((sent - 1) // 900)  # 900 at the start of each minute, if nothing took time
    assert least <= at.clock.slept < least + 4
    assert max(later - earlier for earlier, later in pairwise(line.times)) < 1.001
    agrees(at)
