"""What a load makes of landings."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from lakepulse.reports import read_reports
from lakepulse.sources import raw_tables
from spark_apps import ledger
from spark_apps.tables import all_tables
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import (
    DAY,
    REPO,
    REPO_ID,
    at,
    comment,
    commit,
    download,
    issue,
    land,
    package_file,
    pull,
    release,
    repository,
)

CREATED = datetime(2026, 10, 1, tzinfo=UTC)


def test_every_source_arrives_typed(lake: Lake) -> None:
    store = lake.store
    land(store, "github_repo", [repository()])
    land(store, "github_commits", [commit("a" * 40, committer=None)])
    land(store, "github_issues", [issue(1, 5), issue(2, pull_request={"merged_at": "2026-10-02T00:00:00Z"}, draft=True)])
    land(store, "github_comments", [comment(501)])
    land(store, "github_pulls", [pull(2, state="closed", merged_at="2026-10-02T00:00:00Z", merge_commit_sha="f" * 40)])
    land(store, "github_releases", [release(7)], keys=[7])
    land(store, "pypistats_overall", [download("2026-10-01", 12)], scope="pyiceberg")
    land(store, "pypistats_python_minor", [download("2026-10-01", 5, None)], scope="pyiceberg")
    land(store, "pypi_releases", [package_file("1.0rc1")], keys=["pkg-1.0rc1.tar.gz"], scope="pyiceberg")
    report = lake.load()

    assert report.details["tables"].keys() == set(raw_tables()), "land an item of every source"
    assert report.rows == 10
    assert [r.step for r in read_reports(store, "run-1")] == ["load"]
    assert report.details["tables"]["issues"] | {"seconds": 0} == {
        "landings": 1,
        "rows": 2,
        "inserted": 2,
        "updated": 0,
        "removed": 0,
        "odd": 0,
        "quarantined": 0,
        "resolved": 0,
        "retyped": 0,
        "commits": 1,
        "seconds": 0,
    }
    assert report.details["held_back"] == []
    common = {"load_seq": 1, "fetched_at": at(1), "odd": None}

    def only(table: str) -> dict[str, object]:
        (row,) = lake.rows(table)
        assert list(row) == list(all_tables()[table].layout)
        assert row.pop("loaded_at") >= DAY
        assert json.loads(row.pop("payload"))
        row.pop("landing_id")
        return row

    assert only("repo_snapshots") == common | {
        "repo": REPO,
        "snapshot_date": date(2026, 11, 1),
        "repo_id": REPO_ID,
        "full_name": REPO,
        "default_branch": "main",
        "is_archived": False,
        "is_disabled": False,
        "has_issues": True,
        "forks_count": 10,
        "size_kb": 2000,
        "watchers_count": 50,
        "stargazers_count": 50,
        "subscribers_count": 7,
        "open_issues_count": 3,
        "network_count": 10,
        "created_at": datetime(2018, 11, 19, 16, 26, 13, tzinfo=UTC),
        "pushed_at": DAY,
        "updated_at": DAY,
    }
    when = datetime(2026, 10, 1, 12, tzinfo=UTC)
    assert only("commits") == common | {
        "repo": REPO,
        "sha": "a" * 40,
        "repo_id": REPO_ID,
        "author_name": "Octo Cat",
        "author_email": "octo@example.org",
        "authored_at": when,
        "author_login": "octocat",
        "author_id": 1,
        "author_type": "User",
        "committer_name": "Octo Cat",
        "committer_email": "octo@example.org",
        "committed_at": when,
        "committer_login": None,
        "committer_id": None,
        "committer_type": None,
        "message": f"Change {'a' * 40}",
        "parents": ["0" * 40],
        "is_reachable": True,
    }
    first, second = sorted(lake.rows("issues"), key=lambda row: row["number"])
    assert (first["is_pull_request"], first["is_draft"], first["merged_at"], first["labels"]) == (False, None, None, ["bug"])
    assert (second["is_pull_request"], second["is_draft"]) == (True, True)
    assert second["merged_at"] == datetime(2026, 10, 2, tzinfo=UTC)
    assert (first["issue_id"], first["updated_at"], first["created_at"], first["is_deleted"]) == (1001, at(5), CREATED, False)
    assert only("issue_comments") == common | {
        "repo": REPO,
        "repo_id": REPO_ID,
        "comment_id": 501,
        "issue_number": 1,
        "author_login": "octocat",
        "author_id": 1,
        "author_type": "User",
        "created_at": CREATED,
        "updated_at": DAY,
        "html_url": "https://github.com/",
        "is_deleted": False,
    }
    (pulled,) = lake.rows("pulls")
    assert (pulled["number"], pulled["merged_at"]) == (2, datetime(2026, 10, 2, tzinfo=UTC))
    assert (pulled["author_id"], pulled["merge_commit_sha"]) == (1, "f" * 40)
    (released,) = lake.rows("releases")
    assert (released["release_id"], released["tag_name"], released["author_login"]) == (7, "v7", "octocat")
    assert (released["author_id"], released["author_type"]) == (1, "User")
    assert [(r["kind"], r["category"], r["date"], r["downloads"]) for r in lake.rows("downloads")] == [
        ("overall", "without_mirrors", date(2026, 10, 1), 12),
        ("python_minor", "null", date(2026, 10, 1), 5),
    ]
    (file,) = lake.rows("package_files")
    assert (file["version"], file["is_prerelease"], file["uploaded_at"]) == ("1.0rc1", True, CREATED)


def test_the_ledger_has_every_landing(lake: Lake) -> None:
    land(
        lake.store, "github_issues", [issue(1)], requests=3, quota=2, watermark=at(9), covered_from=CREATED, last_event_at=at(9)
    )
    land(lake.store, "github_issues", scope="apache/hudi", status="gone", status_detail="404", upstream_id=None)
    land(lake.store, "github_issues", scope=REPO, started=at(60), quota=0)
    lake.load()
    rows = lake.rows("landings")
    assert [(r["landing_id"], r["status"], r["pages"], r["rows"]) for r in rows] == [
        ("github_issues/apache__hudi/00000001", "gone", 0, 0),
        ("github_issues/apache__iceberg/00000001", "ok", 1, 1),
        ("github_issues/apache__iceberg/00000002", "ok", 0, 0),
    ]
    full = rows[1]
    assert (full["requests"], full["quota"], full["watermark"], full["covered_from"]) == (3, 2, at(9), CREATED)
    assert (full["as_of"], full["started_at"], full["finished_at"]) == (DAY.date(), DAY, at(1))
    assert (full["upstream_id"], full["upstream_name"], full["load_seq"]) == (REPO_ID, REPO, 1)


def test_a_ledger_of_an_older_version_gets_the_new_columns(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    added = ("upstream_status", "covered_to")
    with monkeypatch.context() as older:
        older.setattr(ledger, "LAYOUT", {name: kind for name, kind in ledger.LAYOUT.items() if name not in added})
        land(lake.store, "github_issues", [issue(1)])
        lake.load()
    (old,) = lake.rows("landings")
    assert not old.keys() & set(added)
    assert lake.load().rows == 0
    land(lake.store, "github_issues", started=at(60), covered_to=at(50), upstream_status="archived")
    lake.load()
    rows = lake.rows("landings")
    assert [{name: row[name] for name in old} for row in rows[:1]] == [old]
    assert [(row["covered_to"], row["upstream_status"]) for row in rows] == [(None, None), (at(50), "archived")]


def test_the_same_items_again_change_nothing(lake: Lake) -> None:
    for source, item in (("github_issues", issue(1)), ("github_commits", commit("a")), ("github_repo", repository())):
        land(lake.store, source, [item, item])
    lake.load()
    before = {name: (lake.snapshot_id(name), lake.rows(name)) for name in ("issues", "commits", "repo_snapshots")}
    for source, item in (("github_issues", issue(1)), ("github_commits", commit("a")), ("github_repo", repository())):
        land(lake.store, source, [item], started=at(60))
    report = lake.load()
    assert report.rows == 0
    assert {name: (lake.snapshot_id(name), lake.rows(name)) for name in before} == before
    assert len(lake.rows("landings")) == 6


def test_nothing_new_commits_nothing(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    lake.load()
    before = {name: lake.snapshot_id(name) for name in ("landings", "issues")}
    assert lake.load().rows == 0
    assert {name: lake.snapshot_id(name) for name in before} == before


def test_changed_rows_get_the_new_load_sequence_and_others_keep_theirs(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1), issue(2)])
    lake.load()
    land(lake.store, "github_issues", [issue(1, 60, title="Renamed"), issue(2), issue(3)], started=at(60))
    report = lake.load()
    assert report.details["tables"]["issues"]["inserted"] == 1
    assert report.details["tables"]["issues"]["updated"] == 1
    assert [(r["number"], r["load_seq"], r["title"]) for r in lake.rows("issues", "number", "load_seq", "title")] == [
        (1, 2, "Renamed"),
        (2, 1, "Issue 2"),
        (3, 2, "Issue 3"),
    ]


def test_an_older_version_never_overwrites_a_newer_one(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1, 30, title="new")], [issue(1, 10, title="old"), issue(2, 5, title="first")])
    lake.load()
    land(
        lake.store,
        "github_issues",
        [issue(1, 20, title="older"), issue(2, 5, title="later landing")],
        started=at(60),
    )
    lake.load()
    assert [r["title"] for r in lake.rows("issues", "number", "title")] == ["new", "later landing"]


def test_the_last_landing_wins_where_items_have_no_time(lake: Lake) -> None:
    land(lake.store, "pypistats_overall", [download("2026-10-01", 10)], scope="pyiceberg")
    land(lake.store, "pypistats_overall", [download("2026-10-01", 30)], scope="pyiceberg", started=at(60))
    land(lake.store, "pypistats_overall", [download("2026-10-01", 20)], scope="pyiceberg", started=at(30))  # a clock set back
    land(lake.store, "pypistats_overall", [download("2026-10-01", 20)], scope="delta-spark")
    lake.load()
    assert [(r["package"], r["downloads"]) for r in lake.rows("downloads", "package", "downloads")] == [
        ("delta-spark", 20),
        ("pyiceberg", 20),
    ]


def test_landings_without_a_manifest_do_not_exist(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)], is_complete=False)
    lake.load()
    assert lake.rows("issues") == []
    assert lake.rows("landings") == []


def test_a_repo_renamed_in_the_list_keeps_one_history(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1), issue(2)], scope="old/name")
    lake.load()
    land(lake.store, "github_issues", [issue(1), issue(2, 5)], scope="new/name", started=at(60))
    lake.load()
    assert [(r["number"], r["repo"]) for r in lake.rows("issues", "number", "repo")] == [(1, "new/name"), (2, "new/name")]


def test_only_chosen_tables_are_loaded(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    land(lake.store, "github_commits", [commit("a")])
    lake.load("commits")
    assert [r["source"] for r in lake.rows("landings")] == ["github_commits"]
    lake.load()
    assert len(lake.rows("landings")) == 2


HOSTILE = {
    "nul": "a\x00b",
    "lone surrogate": "a\ud800b",
    "markup": "<script>alert(1)</script>'; DROP TABLE raw.issues; --",
    "marks": "\u202eevil\u200b \U0001f984 e\u0301",
    "lines": 'a\r\nb\u2028c\x85d\tquote"backslash\\',
    "long": "x" * 1_000_000,
}


def test_hostile_text_arrives_intact(lake: Lake) -> None:
    items = [issue(n, title=text, labels=[{"name": text}]) for n, text in enumerate(HOSTILE.values(), start=1)]
    land(lake.store, "github_issues", items)
    lake.load()
    rows = sorted(lake.rows("issues"), key=lambda row: row["number"])
    assert [json.loads(row["payload"]) for row in rows] == items
    for (name, text), row in zip(HOSTILE.items(), rows, strict=True):
        # UTF-8 has no lone surrogate: the typed column holds a replacement, the payload the escape.
        shown = text.replace("\ud800", "?")
        assert (name, row["title"], row["labels"]) == (name, shown, [shown])


def test_paths_with_odd_characters(lake: Lake) -> None:
    odd = Lake(lake.engine, lake.settings.data_dir.parent / "a b[1]{x}*é")
    land(odd.store, "github_releases", [release(1)], keys=[1])
    odd.load("releases")
    assert [r["release_id"] for r in odd.rows("releases")] == [1]


@pytest.mark.parametrize(
    ("version", "is_prerelease"),
    [
        ("1.0", False),
        ("1.0.post1", False),
        ("1.0+local.dev1", False),
        ("1.0rc1", True),
        ("1.0.a2", True),
        ("1.0-beta.3", True),
        ("1!2.0.dev4", True),
        ("1.0.post1.dev2", True),
        ("v3.1c1", True),
        ("2024.1", False),
    ],
)
def test_pre_releases_by_the_version_specifiers_standard(version: str, is_prerelease: bool) -> None:
    import re

    from packaging.version import Version

    from spark_apps.tables.package_files import DEVELOPMENT, PRE_RELEASE

    assert Version(version).is_prerelease == is_prerelease
    assert bool(re.search(PRE_RELEASE, version) or re.search(DEVELOPMENT, version)) == is_prerelease
