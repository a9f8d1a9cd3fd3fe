"""Downloads by version: from a ClickHouse server over HTTP, and from exported files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse_fetch.sources import all_sources
from lakepulse_simulator import World
from lakepulse_simulator.world import DAY, epoch
from tests.fetch.lab import Kill, Lab, Line, ends, landed, rows

Counts = dict[tuple[date, str], int]
PACKAGE = "acme-lake"


@pytest.fixture
def at() -> Iterator[Lab]:
    world = World(date(2026, 1, 15))
    world.add_package(PACKAGE)
    lab = Lab(world)
    yield lab
    lab.close()


class Spoilt(Line):
    """A line that puts other members into every result."""

    def __init__(self, lab: Lab, members: dict[str, Any]) -> None:
        super().__init__(lab.simulator)
        self.members = members

    def _answer(self, request: httpx.Request) -> httpx.Response:
        document = json.loads(super()._answer(request).read())
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(document | self.members).encode()))


class Refusing(Line):
    """A line that answers everything with an error in plain text."""

    def __init__(self, lab: Lab, status: int, text: str) -> None:
        super().__init__(lab.simulator)
        self.status, self.text = status, text

    def _answer(self, request: httpx.Request) -> httpx.Response:
        super()._answer(request)
        return httpx.Response(self.status, stream=httpx.ByteStream(self.text.encode()))


def run(lab: Lab, kill: Kill | None = None) -> None:
    lab.run(sources=("clickhouse_versions",), kill=kill)


def said(lab: Lab) -> Counts:
    found = [row for m in lab.manifests("clickhouse_versions", PACKAGE) for row in rows(lab.store, m)]
    return {(date.fromisoformat(row["date"]), row["version"]): row["downloads"] for row in found}


def held(lab: Lab) -> Counts:
    """What the world has, of all days before its own."""
    days = lab.world.package(PACKAGE).served_versions(date.min, lab.world.date - timedelta(days=1))
    return {(day, version): count for day, version, count in days}


def spans(lab: Lab) -> list[tuple[str, str]]:
    """First and last day of each request for counts."""
    asked = [httpx.URL(entry.target).params for entry in lab.simulator.log]
    return [(given["param_first"], given["param_last"]) for given in asked if "param_first" in given]


def fill(lab: Lab, days: int, versions: int) -> None:
    """Give the package this many versions, and a million downloads on each of the last days."""
    world = lab.world
    for number in range(versions):
        world.upload(PACKAGE, f"1.{number}", epoch(world.date) - (days + 20) * DAY, sdist=False)
    for back in range(1, days + 1):
        count(lab, back, 1_000_000)
    assert len(held(lab)) == days * versions


def count(lab: Lab, back: int, downloads: int) -> None:
    lab.world.set_downloads(PACKAGE, "overall", lab.world.date - timedelta(days=back), "without_mirrors", downloads)


def test_all_days_land_once_and_then_what_is_new_or_revised(at: Lab) -> None:
    fill(at, 800, 3)
    run(at)
    assert said(at) == held(at)
    assert len(spans(at)) == 3
    run(at)
    assert at.manifests("clickhouse_versions", PACKAGE)[-1].rows == 0
    count(at, 4, 1_234_567)
    count(at, 0, 1)  # a day that is not over
    at.world.set_date(at.world.date + timedelta(days=1))
    run(at)
    assert said(at) == held(at)
    assert at.manifests("clickhouse_versions", PACKAGE)[-1].rows == 3 + 1


def test_a_span_that_is_cut_at_the_row_limit_is_halved(at: Lab) -> None:
    fill(at, 100, 130)
    run(at)
    assert said(at) == held(at)
    assert len(spans(at)) > 2


def test_a_day_over_the_row_limit_is_an_error_and_never_cut(at: Lab) -> None:
    fill(at, 2, 10_001)
    with pytest.raises(PermanentError, match="more than the server returns"):
        run(at)


@pytest.mark.parametrize("members", [{"rows": 5}, {"data": None}, {"exception": "Code: 159"}])
def test_an_incomplete_result_is_an_error(at: Lab, members: dict[str, Any]) -> None:
    at.line = Spoilt(at, members)
    with pytest.raises(TemporaryError, match="an incomplete result"):
        run(at)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)"),
        (401, "Code: 194. DB::Exception: demo: Authentication failed. (REQUIRED_PASSWORD)"),
        (403, "Code: 497. DB::Exception: demo: Not enough privileges. (ACCESS_DENIED)"),
        (404, "Code: 60. DB::Exception: Unknown table expression identifier 'pypi.x'. (UNKNOWN_TABLE)"),
    ],
)
def test_a_refused_query_is_permanent_and_shows_its_first_line(at: Lab, status: int, text: str) -> None:
    at.line = Refusing(at, status, f"{text}\nStack trace: 1\n2")
    with pytest.raises(PermanentError) as caught:
        run(at)
    told = str(caught.value)
    assert f"clickhouse: {status} {text}" in told
    assert told.endswith("; check CLICKHOUSE_URL, and what its user may read")
    assert "Stack" not in told
    assert "token" not in told
    assert len(at.simulator.log) == 1


def test_a_failed_query_shows_its_first_line_and_is_retried(at: Lab) -> None:
    at.line = Refusing(at, 500, f"Code: 241. DB::Exception: Memory limit exceeded {'x' * 1_000}")
    with pytest.raises(TemporaryError, match=r"500 Code: 241.*Memory limit exceeded x{50}") as caught:
        run(at)
    assert len(str(caught.value)) < 1_000


def test_a_page_in_place_of_an_error_is_not_shown(at: Lab) -> None:
    at.line = Refusing(at, 404, "<html><h1>404</h1></html>")
    with pytest.raises(PermanentError, match="clickhouse: 404; check CLICKHOUSE_URL"):
        run(at)


def test_a_package_without_downloads_has_a_landing_without_rows(at: Lab) -> None:
    run(at)
    assert [m.rows for m in at.manifests("clickhouse_versions", PACKAGE)] == [0]
    assert spans(at) == []


def test_a_kill_repeats_one_span_at_most(at: Lab) -> None:
    fill(at, 1_500, 1)
    assert ends(lambda: run(at, Kill(10, is_after=False))) == "killed"
    done = len(spans(at))
    assert 1 < done < 5
    run(at)
    assert said(at) == held(at)
    assert len(spans(at)) <= 5 + 1


@pytest.mark.parametrize("at_write", range(1, 9))
def test_what_is_corrected_before_a_killed_visit_continues_is_seen(at: Lab, at_write: int) -> None:
    fill(at, 30, 2)
    assert ends(lambda: run(at, Kill(at_write, is_after=True))) == "killed"
    count(at, 2, 1_234_567)
    run(at)
    assert said(at) == held(at)


def test_it_is_off_without_an_address(at: Lab) -> None:
    source = all_sources()["clickhouse_versions"]
    assert not source.is_configured(at.settings(clickhouse_url=None))
    assert source.is_configured(at.settings())


# --- exported files


@pytest.fixture
def folder(tmp_path: Path, at: Lab) -> Path:
    at.folder = tmp_path
    (tmp_path / "imports").mkdir()
    return tmp_path / "imports"


def imported(lab: Lab) -> dict[tuple[str, str], Any]:
    found = [row for m in lab.manifests("import_versions", PACKAGE) for row in rows(lab.store, m)]
    return {(row["date"], row["version"]): row["downloads"] for row in found}


def test_exported_files_land_and_again_only_if_they_changed(at: Lab, folder: Path) -> None:
    assert not all_sources()["import_versions"].is_configured(at.settings())
    (folder / "a.csv").write_text("project,day,version,num_downloads\nAcme_Lake,2026-01-01,1.0,5\nother,2026-01-01,1.0,7\n")
    line = json.dumps({"project": PACKAGE, "date": "2026-01-02", "version": "1.1", "downloads": 9})
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(line.encode() + b"\n"))
    assert all_sources()["import_versions"].is_configured(at.settings())
    at.run(sources=("import_versions",))
    assert imported(at) == {("2026-01-01", "1.0"): 5, ("2026-01-02", "1.1"): 9}
    at.run(sources=("import_versions",))
    assert at.manifests("import_versions", PACKAGE)[-1].rows == 0
    (folder / "c.csv").write_text("project,date,version,downloads\nacme-lake,2026-01-02,1.1,10\n")
    at.run(sources=("import_versions",))
    assert imported(at)["2026-01-02", "1.1"] == 10


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"project,version,downloads\nacme-lake,1.0,5\n", "no column 'date'"),
        ("a.jsonl", b"{ nonsense\n", "not readable"),
        ("a.jsonl", b"[1]\n", "not a record"),
        ("a.csv.gz", gzip.compress(b"project,date\n", mtime=0)[:-4], "not readable"),
        ("a.csv", b"\xff\xfe\x00", "not readable"),
    ],
)
def test_a_bad_file_is_one_clear_line_that_names_it(at: Lab, folder: Path, name: str, content: bytes, told: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(PermanentError, match=rf"imports/{name}: .*{told}"):
        at.run(sources=("import_versions",))
    assert landed(at.store, "import_versions", PACKAGE) == {}
