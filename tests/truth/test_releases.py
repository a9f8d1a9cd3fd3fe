"""Versions and releases, by hand."""

from __future__ import annotations

import pytest

from lakepulse_simulator import World
from lakepulse_simulator.world import epoch
from tests.truth.gold import Known, gold
from tests.truth.releases import normal_form, reads_as_prerelease, version_of_tag
from tests.truth.scene import AS_OF, PACKAGE, PROJECTS, REPO, at, january, new_world, only, shown, value


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.mark.parametrize(
    ("tag", "version", "is_prerelease"),
    [
        ("v1.1.0", "1.1.0", False),
        ("apache-iceberg-1.4.0", "1.4.0", False),
        ("iceberg-go/v0.1.0", "0.1.0", False),
        ("v3.0.0-rc.1", "3.0.0rc1", True),
        ("release-0.14.1-rc2", "0.14.1rc2", True),
        ("1.0-alpha", "1.0a0", True),
        ("1.0-preview2", "1.0rc2", True),
        ("1.0.dev3", "1.0.dev3", True),
        ("v1.0-1", "1.0.post1", False),
        ("V01.02", "1.2", False),
        ("v2.0", "2.0", False),  # 2.0 and 2.0.0 are two spellings of normal form
        ("v1.0.0-SNAPSHOT", "v1.0.0-SNAPSHOT", True),
        ("v2.0-M1", "v2.0-M1", True),
        ("2.0-beta-2-final", "2.0-beta-2-final", True),
        ("1.4.0-incubating", "1.4.0-incubating", False),
        ("1.0b2-special", "1.0b2-special", True),
        ("nightly", "nightly", False),
        ("latest-dev", "latest-dev", True),
        ("alphabet", "alphabet", False),
        ("model-m", "model-m", False),
    ],
)
def test_the_version_of_a_tag(tag: str, version: str, is_prerelease: bool) -> None:
    assert version_of_tag(tag) == version
    assert reads_as_prerelease(version) is is_prerelease


def test_a_version_of_pypi_in_normal_form() -> None:
    assert [normal_form(text) for text in ("1.0-RC1", "1.0", "2004d-final")] == ["1.0rc1", "1.0", "2004d-final"]


def test_one_version_in_two_places_is_one_release(world: World) -> None:
    world.upload(PACKAGE, "1.1.0", at(10))
    world.release(REPO, "v1.1.0", at=at(12))
    world.release(REPO, "v1.2.0-rc.1", at=at(14))
    world.upload(PACKAGE, "1.2.0rc1", at(14))
    tables = shown(world)
    assert {(r["source"], r["name"], r["version"]) for r in tables["fct_releases"]} == {
        ("pypi", "1.1.0", "1.1.0"),
        ("github", "v1.1.0", "1.1.0"),
        ("github", "v1.2.0-rc.1", "1.2.0rc1"),
        ("pypi", "1.2.0rc1", "1.2.0rc1"),
    }
    (release,) = tables["fct_project_releases"]
    assert (release["project"], release["version"], release["released_at"].date()) == ("Acme", "1.1.0", january(10))
    assert (release["is_on_pypi"], release["is_on_github"]) == (True, True)
    assert value(tables, "releases_365d", "Acme") == (1.0, 1, "known")
    assert value(tables, "days_since_release", "Acme") == (21.0, 1, "known")
    assert value(tables, "days_since_release", REPO) == (19.0, 1, "known")
    assert value(tables, "days_since_release", PACKAGE) == (21.0, 1, "known")


def test_a_version_is_final_if_one_of_its_publications_is_and_dated_by_that(world: World) -> None:
    world.release(REPO, "v2.0", at=at(5), prerelease=True)
    world.upload(PACKAGE, "2.0", at(9))
    tables = shown(world)
    assert value(tables, "days_since_release", "Acme")[0] == 22.0
    assert value(tables, "days_since_release", REPO) == (None, 0, "none")
    assert value(tables, "releases_365d", REPO) == (0.0, 0, "known")


def test_a_version_whose_publications_on_pypi_are_all_yanked_is_none(world: World) -> None:
    world.upload(PACKAGE, "1.0", at(3))
    world.upload(PACKAGE, "1.1", at(9))
    world.release(REPO, "1.1", at=at(9))
    world.yank(PACKAGE, "1.1")
    tables = shown(world)
    assert value(tables, "days_since_release", "Acme")[0] == 28.0
    # Its repository alone knows nothing of PyPI.
    assert value(tables, "days_since_release", REPO)[0] == 22.0
    world.package(PACKAGE).files["acme_lake-1.1.tar.gz"].yanked = False
    assert value(shown(world), "days_since_release", "Acme")[0] == 22.0


def test_a_github_tag_that_reads_as_a_prerelease_is_one(world: World) -> None:
    world.release(REPO, "v1.0", at=at(3, 0))
    world.release(REPO, "v2.0-M1", at=at(8, 0))
    world.release(REPO, "v2.0", at=at(13, 0))
    rows = {r["name"]: (r["is_prerelease"], r["days_since_previous"]) for r in shown(world)["fct_releases"]}
    assert rows == {"v1.0": (False, None), "v2.0-M1": (True, 5.0), "v2.0": (False, 10.0)}


def test_a_deleted_file_moves_no_date_and_a_version_without_files_is_gone(world: World) -> None:
    world.upload(PACKAGE, "1.0", at(3))
    known = Known(PROJECTS)
    known.look(world, AS_OF)
    first = only(gold(known, AS_OF)["fct_releases"], name="1.0")["released_at"]
    world.delete_file(PACKAGE, "acme_lake-1.0-py3-none-any.whl")
    known.look(world, AS_OF)
    assert only(gold(known, AS_OF)["fct_releases"], name="1.0")["released_at"] == first
    world.delete_file(PACKAGE, "acme_lake-1.0.tar.gz")
    known.look(world, AS_OF)
    assert gold(known, AS_OF)["fct_releases"] == []


def test_a_quarantine_takes_no_release_away(world: World) -> None:
    world.upload(PACKAGE, "1.0", at(3))
    known = Known(PROJECTS)
    known.look(world, AS_OF)
    before = gold(known, AS_OF)
    world.set_status(PACKAGE, "quarantined")
    known.look(world, AS_OF)
    assert gold(known, AS_OF)["fct_releases"] == before["fct_releases"]
    assert shown(world)["fct_releases"] == []


def test_spellings_of_one_version_on_pypi_are_one(world: World) -> None:
    world.upload(PACKAGE, "1.0-RC1", at(5), wheels=())
    world.upload(PACKAGE, "1.0rc1", at(4), sdist=False)
    for category in ("with_mirrors", "without_mirrors"):
        world.set_downloads(PACKAGE, "overall", january(9), category, 10)
    tables = shown(world)
    (row,) = tables["fct_releases"]
    assert (row["name"], row["version"], row["released_at"].day, row["is_prerelease"]) == ("1.0rc1", "1.0rc1", 4, True)
    (share,) = tables["fct_downloads_by_version"]
    assert (share["version"], share["downloads"], share["share"]) == ("1.0rc1", 10, 1.0)


def test_a_releases_window_and_its_days(world: World) -> None:
    for back, tag in ((365, "v1"), (364, "v2"), (0, "v3")):
        world.release(REPO, tag, at=epoch(AS_OF) - back * 86_400 + 3600)
    tables = shown(world)
    assert value(tables, "releases_365d") == (2.0, 2, "known")
    assert value(tables, "days_since_release") == (0.0, 1, "known")
    # A week earlier v3 was not out.
    assert value(tables, "days_since_release", week=january(19)) == (358.0, 1, "known")
