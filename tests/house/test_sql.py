"""SQL lies in .sql files: in Python at most three lines of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.code import Module, modules

LINES = 3
_BEGINS = re.compile(
    r"\s*\(?\s*(select|with|from|where|((left|inner|full|cross) )?join|group by|order by|union|case"
    r"|create|insert|merge|update|delete|alter)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\b(select|join|group by|order by|union all|partition by|insert|merge into|create)\b", re.IGNORECASE)
_NAMES = re.compile(r"\b(from|where|values|into|on|table|view|as)\b", re.IGNORECASE)


def long_statements(module: Module) -> list[str]:
    """Strings, docstrings aside, that are SQL of more than `LINES` lines, as `file:line: first words`."""
    found = []
    for node in _strings(module.tree):
        text = _text(node)
        written = sum(bool(line.strip()) for line in text.splitlines())
        # Strings side by side are one string without line ends.
        lines = written if written > 1 else (node.end_lineno or 0) - node.lineno + 1
        if lines > LINES and _BEGINS.match(text) and _GOES_ON.search(text) and _NAMES.search(text):
            found.append(f"{module.path}:{node.lineno}: {lines} lines: {' '.join(text.split())[:60]}")
    return found


def _strings(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        else:
            yield from _strings(node)


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)


def test_no_long_sql_in_python() -> None:
    found = [line for module in modules().values() for line in long_statements(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        'QUERY = """\nselect a\nfrom b\nwhere c\ngroup by a\n"""',
        'def f():\n    return f"""\n    with x as (\n        select {a}\n        from y\n    )\n    select * from x"""',
        'run("select a "\n    "from b "\n    "where c "\n    "order by a")',
    ],
)
def test_long_sql_is_found(source: str) -> None:
    assert len(long_statements(Module("dashboard.page", Path("dashboard/page.py"), source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'QUERY = """\nselect a\nfrom b\nwhere c\n"""',
        'def f():\n    """Select rows\n    from a table\n    where it has\n    some.\n    """',
        'TEXT = "With all of it,\\nor a part,\\nfrom a page,\\nwhere you are."',
    ],
)
def test_short_sql_and_prose_are_left_alone(source: str) -> None:
    assert long_statements(Module("dashboard.page", Path("dashboard/page.py"), source)) == []
