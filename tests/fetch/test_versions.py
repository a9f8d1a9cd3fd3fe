"""Downloads by version: from a ClickHouse server over HTTP, and from exported files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from lakepulse.outcome import PermanentError, TemporaryError
from lakepulse_fetch.sources import all_sources
from tests.fetch.lab import Kill, Lab, ends, landed, rows
from tests.simulator import tiny_world

Counts = dict[tuple[date, str], int]
PACKAGE = "acme-lake"
ADDRESS = "http://clickhouse:8123"


class Server(httpx.BaseTransport):
    """Answers the two queries from counts, as the public server does: 10,000 rows and no more."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.spans: list[tuple[date, date]] = []
        self.spoil: Callable[[dict[str, Any]], Any] = lambda document: document
        self.kill: Kill | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.kill:
            with self.kill.around():
                pass
        given = request.url.params
        assert request.headers["x-clickhouse-user"]
        assert given["param_project"] == PACKAGE
        if "min(date)" in given["query"]:
            days = [day for day, _ in self.counts]
            data: list[dict[str, Any]] = [{"first": str(min(days, default=date(1970, 1, 1)))}]
        else:
            first, last = date.fromisoformat(given["param_first"]), date.fromisoformat(given["param_last"])
            self.spans.append((first, last))
            data = [
                {"date": day.isoformat(), "version": version, "downloads": count}
                for (day, version), count in sorted(self.counts.items())
                if first <= day <= last
            ][:10_000]
        body = json.dumps(self.spoil({"meta": [], "data": data, "rows": len(data)})).encode()
        return httpx.Response(200, stream=httpx.ByteStream(body))


@pytest.fixture
def at() -> Iterator[Lab]:
    lab = Lab(tiny_world(packages=(PACKAGE,), repos=()))
    yield lab
    lab.close()


def run(lab: Lab, server: Server, kill: Kill | None = None) -> None:
    server.kill = kill
    lab.line = server  # type: ignore[assignment]
    lab.run(sources=("clickhouse_versions",), kill=kill, clickhouse_url=ADDRESS)


def said(lab: Lab) -> Counts:
    found = [row for m in lab.manifests("clickhouse_versions", PACKAGE) for row in rows(lab.store, m)]
    return {(date.fromisoformat(row["date"]), row["version"]): row["downloads"] for row in found}


def counts(last: date, days: int, versions: int) -> Counts:
    return {(last - timedelta(days=back), f"1.{v}"): back + v for back in range(1, days + 1) for v in range(versions)}


def test_all_days_land_once_and_then_what_is_new_or_revised(at: Lab) -> None:
    server = Server(counts(at.world.date, 400, 3))
    run(at, server)
    assert said(at) == server.counts
    run(at, server)
    assert at.manifests("clickhouse_versions", PACKAGE)[-1].rows == 0
    server.counts[(at.world.date - timedelta(days=4), "1.0")] = 12_345
    server.counts[(at.world.date, "1.0")] = 1  # not a whole day yet
    at.world.set_date(at.world.date + timedelta(days=1))
    run(at, server)
    assert said(at) == server.counts
    assert at.manifests("clickhouse_versions", PACKAGE)[-1].rows == 3 + 1


def test_a_span_that_is_cut_at_the_row_limit_is_halved(at: Lab) -> None:
    server = Server(counts(at.world.date, 100, 700))
    run(at, server)
    assert said(at) == server.counts


def test_a_day_over_the_row_limit_is_an_error_and_never_cut(at: Lab) -> None:
    with pytest.raises(PermanentError, match="more than is served"):
        run(at, Server(counts(at.world.date, 2, 10_001)))


@pytest.mark.parametrize("spoilt", [{"rows": 5}, {"data": None}, {"exception": "Code: 159"}])
def test_a_result_that_is_not_whole_is_an_error(at: Lab, spoilt: dict[str, Any]) -> None:
    server = Server(counts(at.world.date, 10, 2))
    server.spoil = lambda document: document | spoilt
    with pytest.raises(TemporaryError, match="not whole"):
        run(at, server)


def test_a_package_without_downloads_has_a_landing_without_rows(at: Lab) -> None:
    run(at, Server({}))
    assert [m.rows for m in at.manifests("clickhouse_versions", PACKAGE)] == [0]


def test_a_kill_repeats_one_span_at_most(at: Lab) -> None:
    server = Server(counts(at.world.date, 1_000, 1))
    assert ends(lambda: run(at, server, Kill(17, is_after=False))) == "killed"
    run(at, server)
    assert said(at) == server.counts
    assert len(server.spans) - len(set(server.spans)) <= 1


def test_it_is_off_without_an_address(at: Lab) -> None:
    source = all_sources()["clickhouse_versions"]
    assert not source.is_configured(at.settings())
    assert source.is_configured(at.settings(clickhouse_url=ADDRESS))


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
        ("a.jsonl", b"[1]\n", "no record"),
        ("a.csv.gz", gzip.compress(b"project,date\n")[:-4], "not readable"),
        ("a.csv", b"\xff\xfe\x00", "not readable"),
    ],
)
def test_a_bad_file_is_one_clear_line_that_names_it(at: Lab, folder: Path, name: str, content: bytes, told: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(PermanentError, match=rf"imports/{name}: .*{told}"):
        at.run(sources=("import_versions",))
    assert landed(at.store, "import_versions", PACKAGE) == {}
