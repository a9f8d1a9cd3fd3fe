"""What a full listing implies about rows that upstream no longer has."""

from __future__ import annotations

from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import at, comment, commit, iso, issue, land, package_file


def deleted(lake: Lake) -> dict[int, bool]:
    return {row["number"]: row["is_deleted"] for row in lake.rows("issues", "number", "is_deleted")}


def test_rows_missing_from_a_listing_are_gone_and_those_listed_again_are_back(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1), issue(2), issue(3)])
    lake.load()
    land(lake.store, "github_issues", keys=[1, 3], started=at(60))
    report = lake.load()
    assert deleted(lake) == {1: False, 2: True, 3: False}
    assert report.details["tables"]["issues"]["removed"] == 1
    assert {r["number"]: r["load_seq"] for r in lake.rows("issues", "number", "load_seq")} == {1: 1, 2: 2, 3: 1}
    land(lake.store, "github_issues", keys=[1, 2], started=at(120))
    lake.load()
    assert deleted(lake) == {1: False, 2: False, 3: True}


def test_a_listing_does_not_judge_rows_younger_than_itself(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1), issue(2, created_at=iso(at(90)))])
    lake.load()
    land(lake.store, "github_issues", keys=[1], started=at(60), finished=at(100))
    lake.load()
    assert deleted(lake) == {1: False, 2: False}


def test_one_load_of_several_landings_ends_as_one_load_each(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1), issue(2), issue(3), issue(4)])
    land(lake.store, "github_issues", [issue(5)], keys=[1, 2, 5], started=at(60))  # 3 and 4 are gone
    land(lake.store, "github_issues", [issue(4, 90)], started=at(120))  # 4 was transferred back
    lake.load()
    expected = {1: False, 2: False, 3: True, 4: False, 5: False}
    assert deleted(lake) == expected

    single = Lake(lake.engine, lake.settings.data_dir.parent / "single")
    land(single.store, "github_issues", [issue(1), issue(2), issue(3), issue(4)])
    single.load()
    land(single.store, "github_issues", [issue(5)], keys=[1, 2, 5], started=at(60))
    single.load()
    land(single.store, "github_issues", [issue(4, 90)], started=at(120))
    single.load()
    assert deleted(single) == expected


def test_a_sweep_whose_clock_was_set_back_does_not_undo_the_one_before(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1, created_at=iso(at(50))), issue(2)])
    land(lake.store, "github_issues", keys=[2], started=at(84))
    land(lake.store, "github_issues", keys=[], started=at(14))  # does not judge issue 1
    lake.load()
    assert deleted(lake) == {1: True, 2: True}


def test_a_repo_is_judged_by_its_own_listing_alone(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    land(lake.store, "github_issues", [issue(1), issue(2)], scope="apache/hudi", upstream_id=7)
    lake.load()
    land(lake.store, "github_issues", keys=[2], scope="apache/hudi", upstream_id=7, started=at(60))
    lake.load()
    rows = lake.rows("issues", "repo", "number", "is_deleted")
    assert [(r["repo"], r["number"]) for r in rows if r["is_deleted"]] == [("apache/hudi", 1)]


def test_commits_comments_and_package_files(lake: Lake) -> None:
    land(lake.store, "github_commits", [commit("a"), commit("b")])
    land(lake.store, "github_comments", [comment(101), comment(102)])
    land(lake.store, "pypi_releases", [package_file("1.0"), package_file("1.1", filename="é.whl")], scope="p", keys=[])
    lake.load()
    assert {r["filename"]: r["is_deleted"] for r in lake.rows("package_files", "filename", "is_deleted")} == {
        "pkg-1.0.tar.gz": True,
        "é.whl": True,
    }
    land(lake.store, "github_commits", [commit("c")], keys=["b", "c"], started=at(60))
    land(lake.store, "github_comments", keys=[102], started=at(60))
    land(lake.store, "pypi_releases", keys=["é.whl"], scope="p", started=at(60))
    lake.load()
    assert {r["sha"]: r["is_reachable"] for r in lake.rows("commits", "sha", "is_reachable")} == {
        "a": False,
        "b": True,
        "c": True,
    }
    assert [r["comment_id"] for r in lake.rows("issue_comments", "comment_id", "is_deleted") if r["is_deleted"]] == [101]
    assert [r["filename"] for r in lake.rows("package_files", "filename", "is_deleted") if not r["is_deleted"]] == ["é.whl"]
