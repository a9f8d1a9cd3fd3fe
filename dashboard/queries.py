"""The dashboard's SQL: one `.sql` file per query, in the folder named after the module that runs it.

`views/issues.py` declares `query = queries.beside(__file__)`; then `query("open")` is the text of `views/issues/open.sql`.
Tables are named `gold.<table>`, values `:name`: those of `View.values`, and those that the module passes along.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path


def beside(module: str) -> Callable[[str], str]:
    """Queries of the module with this `__file__`, by name.

    Raises:
        FileNotFoundError: when asked for a query that has no file.
    """
    folder = Path(module).with_suffix("")
    return lambda name: _read(folder / f"{name}.sql")


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
