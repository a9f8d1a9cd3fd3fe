from __future__ import annotations

import gc
import hashlib
import json
import re
import tempfile
import time
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import ClassVar

import pyarrow as pa
import pytest

from dashboard.backends import Snapshot, UnavailableError, bind, open_backend, spell_out
from lakepulse.names import PUBLICATIONS, RUNS
from lakepulse.publications import Publication, newest_first
from lakepulse.settings import Settings
from tests.dashboard.browser import free_port
from tests.dashboard.conftest import Sql
from tests.dashboard.sample import HOSTILE

COUNT = "SELECT count(*) AS n, sum(num_opened) AS opened FROM gold.fct_all_time_issues_trend WHERE repo IN :repos"


def published(settings: Settings) -> list[Publication]:
    return newest_first(open_backend(settings).current(PUBLICATIONS).to_pylist())


def test_values_are_bound_and_lists_expanded() -> None:
    sql = "SELECT 1 WHERE a IN :names AND b = :day AND CAST(c AS date) = :day"
    assert bind(sql, {"names": ("x", "y"), "day": date(2026, 1, 2)}) == (
        "SELECT 1 WHERE a IN (?, ?) AND b = ? AND CAST(c AS date) = ?",
        ["x", "y", date(2026, 1, 2), date(2026, 1, 2)],
    )
    assert bind("x IN :names", {"names": ()}) == ("x IN (NULL)", [])


def test_the_sql_that_a_card_shows_runs_and_means_the_same(lake: Settings, newest: Sql) -> None:
    name = "o'hara"
    shown = spell_out(
        "SELECT :name AS a, :day AS b WHERE :name IN :names", {"name": name, "day": date(2026, 1, 2), "names": (name,)}
    )
    assert newest(shown) == [(name, date(2026, 1, 2))]


def test_hostile_values_stay_values(lake: Settings) -> None:
    snapshot = Snapshot(open_backend(lake), published(lake)[0])
    sql = "SELECT label FROM gold.fct_num_labels_per_repo WHERE label = :label GROUP BY label"
    assert snapshot.run(sql, {"label": HOSTILE}).to_pylist() == [{"label": HOSTILE}]
    assert snapshot.run(sql, {"label": "x' OR '1'='1"}).num_rows == 0


def test_each_publication_is_read_from_its_own_snapshots(lake: Settings, newest: Sql, older: Sql) -> None:
    backend = open_backend(lake)
    for publication, expected in zip(published(lake), (newest, older), strict=True):
        rows = Snapshot(backend, publication).run(COUNT, {"repos": ("apache/hudi",)})
        sql = "SELECT count(*), sum(num_opened) FROM fct_all_time_issues_trend WHERE repo = 'apache/hudi'"
        assert [tuple(row.values()) for row in rows.to_pylist()] == expected(sql)
        assert rows.schema.field("opened").type == pa.int64()


def test_the_copy_on_disk_is_removed_with_its_snapshot(lake: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    snapshot = Snapshot(open_backend(lake), published(lake)[0])
    assert snapshot.run(COUNT, {"repos": ("apache/hudi",)}).num_rows == 1
    assert list(tmp_path.glob("*/lake.duckdb"))
    del snapshot
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_table_missing_from_the_publication_is_named(lake: Settings) -> None:
    with pytest.raises(UnavailableError, match="without the table fct_nothing"):
        Snapshot(open_backend(lake), published(lake)[0]).run("SELECT * FROM gold.fct_nothing", {})


def test_reading_changes_no_file(lake: Settings) -> None:
    def digest() -> dict[str, str]:
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in lake.data_dir.rglob("*") if path.is_file()}

    before = digest()
    backend = open_backend(lake)
    Snapshot(backend, published(lake)[0]).run(COUNT, {"repos": ("apache/hudi",)})
    backend.current(RUNS)
    assert digest() == before


def test_missing_data_is_reported_and_no_catalog_is_created(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="No data"):
        open_backend(Settings(data_dir=tmp_path / "nothing"))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_catalog_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_text("this is no database, but long enough to look at" * 50)
    with pytest.raises(UnavailableError) as caught:
        open_backend(Settings(data_dir=tmp_path)).current(PUBLICATIONS)
    assert "\n" not in str(caught.value)


def test_a_table_that_does_not_exist_has_no_rows(lake: Settings) -> None:
    assert open_backend(lake).current("ops.nothing").num_rows == 0
    assert open_backend(lake).current("nowhere.nothing").num_rows == 0


class _Replies(BaseHTTPRequestHandler):
    """Replies like Trino: a statement gets the address of its rows. Counts the statements in flight."""

    rows: ClassVar[dict[str, tuple[list[tuple[str, str]], list[list[object]]]]] = {}
    asked: ClassVar[list[str]] = []
    waiting, most = 0, 0
    lock = Lock()

    def do_POST(self) -> None:
        sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = re.search(r'"(\w+)" FOR VERSION AS OF 7$', sql)
        assert found, sql
        self.asked.append(found[1])
        cls = type(self)
        with self.lock:
            cls.waiting += 1
            cls.most = max(self.most, self.waiting)
        time.sleep(0.2)
        with self.lock:
            cls.waiting -= 1
        self._send({"nextUri": f"http://{self.headers['Host']}/v1/statement/{found[1]}"})

    def do_GET(self) -> None:
        columns, rows = self.rows[self.path.rpartition("/")[2]]
        described = [
            {
                "name": name,
                "type": kind,
                "typeSignature": {
                    "rawType": kind.partition("(")[0],
                    "arguments": [{"kind": "LONG", "value": 6}] if kind in {"varchar", "timestamp(6)"} else [],
                },
            }
            for name, kind in columns
        ]
        self._send({"columns": described, "data": rows})

    def _send(self, answer: dict[str, object]) -> None:
        reply = {"id": "1", "infoUri": "http://127.0.0.1/", "stats": {"state": "FINISHED"}, **answer}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *args: object) -> None:
        """No log."""


def test_rows_from_trino_have_golds_types_and_tables_are_read_concurrently(lake: Settings) -> None:
    columns = [
        ("a", "varchar"),
        ("n", "bigint"),
        ("x", "double"),
        ("is_it", "boolean"),
        ("day", "date"),
        ("at", "timestamp(6)"),
    ]
    sent: list[list[object]] = [
        ["Ada", 2**40, 0.5, True, "2026-01-05", "2026-01-05 09:30:00.000123"],
        [None, None, None, None, None, None],
        ["", -1, "NaN", False, "1969-12-31", "1969-12-31 23:59:59.000000"],
    ]
    names = ("dim_projects", "fct_releases", "fct_data_quality")
    _Replies.rows = dict.fromkeys(names, (columns, sent))
    published_then = replace(published(lake)[0], snapshots=dict.fromkeys(names, 7))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Replies) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        settings = lake.model_copy(update={"engine": "trino", "trino_host": "127.0.0.1", "trino_port": port})
        snapshot = Snapshot(open_backend(settings), published_then)
        crossed = "SELECT count(*) AS n FROM gold.dim_projects, gold.fct_releases, gold.fct_data_quality"
        assert snapshot.run(crossed, {}).to_pylist() == [{"n": 27}]
        rows = snapshot.run("SELECT * FROM gold.fct_releases", {})
        server.shutdown()
    assert rows.schema.types == [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("us")]
    first, empty, odd = ([str(value) for value in row.values()] for row in rows.to_pylist())
    assert first == ["Ada", str(2**40), "0.5", "True", "2026-01-05", "2026-01-05 09:30:00.000123"]
    assert empty == ["None"] * len(columns)
    assert odd == ["", "-1", "nan", "False", "1969-12-31", "1969-12-31 23:59:59"]
    assert sorted(_Replies.asked) == sorted(names)
    assert _Replies.most > 1


def test_a_table_that_fails_leaves_those_copied_with_it(lake: Settings) -> None:
    snapshot = Snapshot(open_backend(lake), published(lake)[0])
    for _ in range(2):
        with pytest.raises(UnavailableError, match="without the table fct_nothing"):
            snapshot.run("SELECT * FROM gold.fct_nothing, gold.dim_projects, gold.fct_known_breaks", {})
    assert snapshot.run("SELECT * FROM gold.dim_projects, gold.fct_known_breaks", {}).num_rows


def test_a_trino_that_does_not_answer_is_reported_in_one_line(lake: Settings) -> None:
    settings = lake.model_copy(update={"engine": "trino", "trino_port": free_port(), "timeout_seconds": 1.0})
    with pytest.raises(UnavailableError, match=f"Trino at 127.0.0.1:{settings.trino_port}") as caught:
        open_backend(settings).current(PUBLICATIONS)
    assert "\n" not in str(caught.value)
