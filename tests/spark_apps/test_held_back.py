"""A scope that an audit refuses waits, and is reported; every other scope of the load arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import obstore
import pytest

from lakepulse.landing import KEYS_FILE, MANIFEST, landing_path
from lakepulse.names import QUARANTINE
from lakepulse.reports import StepReport, read_reports
from spark_apps.load import log
from tests.spark_apps.conftest import Lake
from tests.spark_apps.landings import REPO, at, break_manifest, download, issue, land, package_file, put_manifest

OTHER = "apache/hudi"
FIRST = "github_issues/apache__iceberg/00000001"
SECOND = "github_issues/apache__iceberg/00000002"


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(log, "warning", said.append, raising=False)
    return said


def numbers(lake: Lake, **where: Any) -> list[int]:
    return sorted(row["number"] for row in lake.rows("issues") if where.items() <= row.items())


def refused(lake: Lake) -> list[dict[str, Any]]:
    """Refusals that stand."""
    return [row for row in lake.rows("quarantine") if row["kind"] == "landing" and row["resolved_at"] is None]


def held_back(report: StepReport) -> list[tuple[str, str]]:
    assert report.outcome == "succeeded"
    return [(entry["scope"], entry["what"]) for entry in report.details["held_back"]]


def test_a_scope_that_shrinks_by_more_than_half_waits_until_it_is_allowed(lake: Lake, warnings: list[str]) -> None:
    """PyPI quarantines a package of 120 files; another package and another repo go on."""
    files = [package_file(f"1.{n}") for n in range(120)]
    land(lake.store, "pypi_releases", files, scope="p", keys=[file["filename"] for file in files])
    land(lake.store, "pypi_releases", files[:3], scope="q", keys=[file["filename"] for file in files[:3]])
    lake.load()
    assert warnings == []

    land(lake.store, "pypi_releases", scope="p", keys=[], started=at(60))
    land(lake.store, "pypi_releases", [package_file("2.0")], scope="q", keys=["pkg-2.0.tar.gz"], started=at(60))
    land(lake.store, "pypistats_overall", [download("2026-10-01", 1)], scope="p")
    report = lake.load(run_id="run-2")
    what, what_to_do = (
        "upstream no longer lists 120 of 120 rows of raw.package_files",
        "if they were deleted there, run again with ALLOW_SHRINK=1",
    )
    assert report.details["held_back"] == [
        {"source": "pypi_releases", "scope": "p", "table": "package_files", "what": what, "what_to_do": what_to_do}
    ]
    assert read_reports(lake.store, "run-2") == [report]
    assert warnings == [f"p of pypi_releases is held back: {what}; {what_to_do}"]
    rows = lake.rows("package_files", "package", "version", "is_deleted")
    assert [row for row in rows if row["package"] == "p" and row["is_deleted"]] == []
    assert sorted((row["version"], row["is_deleted"]) for row in rows if row["package"] == "q") == [
        ("1.0", True),
        ("1.1", True),
        ("1.2", True),
        ("2.0", False),
    ]
    assert len(lake.rows("downloads")) == 1
    (row,) = refused(lake)
    assert (row["source"], row["scope"], row["table_name"], row["row_count"]) == ("pypi_releases", "p", "package_files", 120)
    assert (row["landing_id"], row["reason"]) == ("pypi_releases/p/00000002", f"{what}; {what_to_do}")
    assert {row["landing_id"] for row in lake.rows("landings")} == {
        "pypi_releases/p/00000001",
        "pypi_releases/q/00000001",
        "pypi_releases/q/00000002",
        "pypistats_overall/p/00000001",
    }

    # Again the next day, with a landing more that waits behind; what stands is not written again.
    before = {name: lake.snapshot_id(name) for name in ("quarantine", "package_files", "landings")}
    land(lake.store, "pypi_releases", scope="p", keys=[], started=at(120))
    assert held_back(lake.load(run_id="run-3")) == [("p", what)]
    assert {name: lake.snapshot_id(name) for name in before} == before

    report = lake.load(run_id="run-4", allow_shrink=True)
    assert (held_back(report), refused(lake)) == ([], [])
    assert sum(row["is_deleted"] for row in lake.rows("package_files")) == 123
    assert len(lake.rows("landings")) == 6


def test_a_scope_that_upstream_lists_again_heals_by_itself(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(n) for n in range(1, 201)])
    lake.load()
    land(lake.store, "github_issues", [issue(201)], keys=[201], started=at(60))
    assert len(held_back(lake.load(run_id="run-2"))) == 1
    assert 201 not in numbers(lake)
    land(lake.store, "github_issues", [issue(202)], keys=range(1, 203), started=at(120))
    assert held_back(lake.load(run_id="run-3")) == []
    assert numbers(lake, is_deleted=False) == list(range(1, 203))
    assert refused(lake) == []
    (row,) = lake.rows("quarantine")
    assert row["resolved_at"] is not None


def unreadable(lake: Lake, identifier: str) -> None:
    put_manifest(lake.store, identifier, b"{")


def of_a_later_version(lake: Lake, identifier: str) -> None:
    path = lake.settings.data_dir / landing_path(identifier) / MANIFEST
    path.write_text(path.read_text().replace('"layout":1', '"layout":2'))


def miscounted(lake: Lake, identifier: str) -> None:
    break_manifest(lake.store, identifier)


def cut_short(lake: Lake, identifier: str) -> None:
    page = lake.settings.data_dir / landing_path(identifier) / "page-00001.jsonl.gz"
    page.write_bytes(page.read_bytes()[:60])


def without_a_page(lake: Lake, identifier: str) -> None:
    obstore.delete(lake.store, f"{landing_path(identifier)}/page-00001.jsonl.gz")


def without_keys(lake: Lake, identifier: str) -> None:
    obstore.delete(lake.store, f"{landing_path(identifier)}/{KEYS_FILE}")


AGAIN = f"remove landing/{SECOND}/ and state/github_issues/apache__iceberg.json to fetch the scope again"


@pytest.mark.parametrize(
    ("damage", "what", "what_to_do"),
    [
        (unreadable, f"landing/{SECOND}/manifest.json: not a landing manifest (", AGAIN),
        (of_a_later_version, f"landing/{SECOND}/manifest.json: layout 2, this version reads 1", "upgrade lakepulse"),
        (miscounted, f"landing {SECOND} has 2 rows, its manifest says 3", AGAIN),
        (cut_short, f"landing {SECOND}: page-00001.jsonl.gz is damaged (", AGAIN),
        (without_a_page, f"landing {SECOND}: page-00001.jsonl.gz is missing", AGAIN),
        (without_keys, f"landing {SECOND}: keys.jsonl.gz is missing", AGAIN),
    ],
)
def test_a_landing_that_cannot_be_used_holds_back_its_scope_from_there_on(
    lake: Lake, warnings: list[str], damage: Callable[[Lake, str], None], what: str, what_to_do: str
) -> None:
    land(lake.store, "github_issues", [issue(1)])
    assert land(lake.store, "github_issues", [issue(2), issue(3)], keys=[1, 2, 3], started=at(60)) == SECOND
    land(lake.store, "github_issues", [issue(1, 90, title="later"), issue(4)], started=at(120))
    land(lake.store, "github_issues", [issue(1)], scope=OTHER, upstream_id=7)
    text = bytes(obstore.get(lake.store, f"{landing_path(SECOND)}/{MANIFEST}").bytes())
    files = {path: path.read_bytes() for path in (lake.settings.data_dir / landing_path(SECOND)).iterdir()}
    damage(lake, SECOND)
    report = lake.load()
    ((scope, found),) = held_back(report)
    assert (scope, found.startswith(what)) == (REPO, True), found
    assert report.details["held_back"][0]["what_to_do"] == what_to_do
    assert [line.endswith(f"; {what_to_do}") for line in warnings] == [True]
    assert "\n" not in warnings[0]
    assert (numbers(lake, repo=REPO), numbers(lake, repo=OTHER)) == ([1], [1])
    assert sorted(row["landing_id"] for row in lake.rows("landings")) == ["github_issues/apache__hudi/00000001", FIRST]
    assert [(row["landing_id"], row["scope"]) for row in refused(lake)] == [(SECOND, REPO)]
    # Once the landing is as it was, everything arrives in order.
    for path, content in files.items():
        path.write_bytes(content)
    put_manifest(lake.store, SECOND, text)
    assert held_back(lake.load(run_id="run-2")) == []
    assert numbers(lake, repo=REPO) == [1, 2, 3, 4]
    assert refused(lake) == []


def test_a_landing_that_is_removed_no_longer_holds_back_its_scope(lake: Lake) -> None:
    land(lake.store, "github_issues", [issue(1)])
    second = land(lake.store, "github_issues", [issue(2)], started=at(60))
    land(lake.store, "github_issues", [issue(3)], started=at(120))
    break_manifest(lake.store, second)
    lake.load()
    assert numbers(lake) == [1]
    for path in (lake.settings.data_dir / landing_path(second)).iterdir():
        path.unlink()
    assert held_back(lake.load(run_id="run-2")) == []
    assert (numbers(lake), refused(lake)) == ([1, 3], [])


def test_tables_that_were_not_loaded_keep_their_refusals(lake: Lake) -> None:
    break_manifest(lake.store, land(lake.store, "github_issues", [issue(1)]))
    land(lake.store, "pypistats_overall", [download("2026-10-01", 1)], scope="p")
    lake.load()
    lake.load("downloads", run_id="run-2")
    assert len(refused(lake)) == 1


def test_a_replay_holds_back_what_it_cannot_read_again_and_nothing_new(lake: Lake) -> None:
    first = land(lake.store, "pypistats_overall", [download("2026-10-01", "?")], scope="p")
    lake.load()
    text = break_manifest(lake.store, first)
    assert held_back(lake.load(replay=True, run_id="run-2")) == [("p", f"landing {first} has 1 rows, its manifest says 2")]
    assert [(row["kind"], row["resolved_at"]) for row in lake.rows("quarantine")] == [("line", None)]
    land(lake.store, "pypistats_overall", [download("2026-10-02", 1)], scope="p", started=at(60))
    assert held_back(lake.load(run_id="run-3")) == []
    assert len(lake.rows("downloads")) == 1
    put_manifest(lake.store, first, text)
    assert held_back(lake.load(replay=True, run_id="run-4")) == []


def test_a_quarantine_of_an_older_version_takes_refusals(lake: Lake) -> None:
    land(lake.store, "pypistats_overall", [download("2026-10-01", "?")], scope="p")
    lake.load()
    lake.sql(f"ALTER TABLE lakepulse.{QUARANTINE} DROP COLUMNS kind, row_count")
    assert lake.load(replay=True, run_id="run-2").details["tables"]["downloads"]["resolved"] == 0
    break_manifest(lake.store, land(lake.store, "pypistats_overall", [download("2026-10-02", 1)], scope="p", started=at(60)))
    assert len(held_back(lake.load(run_id="run-3"))) == 1
    assert sorted(str(row["kind"]) for row in lake.rows("quarantine")) == ["None", "landing"]
