"""Pages and queries are files that are found, used and complete."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from dashboard import queries
from dashboard.backends import Snapshot, Values
from dashboard.metrics import METRICS
from dashboard.page import discover
from dashboard.views import PAGES
from lakepulse.outcome import PermanentError
from tests.dashboard.conftest import APP, App, switch

FOLDER = APP.parent
QUERIES = {path: path.read_text(encoding="utf-8").strip() for path in FOLDER.rglob("*.sql")}


def test_every_query_is_used_once_and_runs(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: set[str] = set()
    real = Snapshot.run

    def run(self: Snapshot, sql: str, values: Values) -> pa.Table:
        rows = real(self, sql, values)
        ran.add(sql)
        return rows

    monkeypatch.setattr(Snapshot, "run", run)
    for entry in PAGES:
        page = app(entry.path, raw="true")
        assert not page.exception
        assert not page.error
    page = app("issues")
    page.session_state["chart-share-answered"] = {"selection": {"picked": [{"at": "2026-10-05"}]}}
    assert not page.run().error
    page = switch(page, "compare")
    page.radio(key="align").set_value("age")
    for metric in ("commits_28d", *METRICS):
        page.selectbox(key="metric").set_value(metric).run()
        assert not page.error
    page = switch(app(project=["Apache Iceberg"]), "project")
    assert not page.error
    assert len(QUERIES) > 50
    # A query may run as part of another: a closed card only counts its rows.
    assert [str(path) for path, text in QUERIES.items() if not any(text in sql for sql in ran)] == []
    assert [text for text, number in Counter(QUERIES.values()).items() if number > 1] == []


def test_a_query_without_a_file_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.sql"):
        queries.beside(str(FOLDER / "card.py"))("nothing")


def long_sql(python: str) -> list[int]:
    """The lines of a module's strings that hold SQL of more than three lines."""
    texts = {}
    for node in ast.walk(ast.parse(python)):
        if isinstance(node, ast.JoinedStr):
            texts[node.lineno] = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.setdefault(node.lineno, node.value)
    return [
        line for line, text in texts.items() if re.search(r"(?is)\bselect\b.+\bfrom\b", text) and text.strip().count("\n") > 2
    ]


def test_python_has_no_sql_of_more_than_three_lines() -> None:
    for quotes in ('"""', 'f"""'):
        assert long_sql(f'x = 1\ny = {quotes}\nSELECT a\nFROM b\nWHERE c\nORDER BY d\n"""') == [2]
    found = {str(path): long_sql(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.py")}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_pages_are_found_with_their_addresses_in_the_declared_order() -> None:
    assert [page.path for page in PAGES] == [
        "overview", "project", "people", "commits", "issues", "pulls", "pypi", "compare", "data",
    ]  # fmt: skip
    assert {page.path for page in PAGES} == {path.stem for path in (FOLDER / "views").glob("*.py")} - {"__init__"}


def test_a_module_that_declares_no_page_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_views"
    package.mkdir()
    (package / "forgotten.py").write_text("def show(view): pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PermanentError, match=r"some_views.forgotten declares no page: add PAGE"):
        discover("some_views", [str(package)])
