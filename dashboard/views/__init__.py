"""The pages, in the order of the navigation. To add one: a file here, and its line below.

The folder is not called `pages`, which Streamlit would run by itself, past app.py.

A page is a script: it takes `session.current()` and shows figures with `card.figure`.
"""

from __future__ import annotations

from typing import NamedTuple


class PageEntry(NamedTuple):
    """`file` in this folder; `path` in the address."""

    file: str
    title: str
    icon: str
    path: str


PAGES = (
    PageEntry("overview.py", "Overview", ":material/monitor_heart:", "overview"),
    PageEntry("commits.py", "Commits", ":material/commit:", "commits"),
    PageEntry("issues.py", "Issues", ":material/adjust:", "issues"),
    PageEntry("pulls.py", "Pull requests", ":material/merge:", "pulls"),
    PageEntry("pypi.py", "PyPI", ":material/download:", "pypi"),
    PageEntry("compare.py", "Compare", ":material/compare_arrows:", "compare"),
    PageEntry("data.py", "Data", ":material/fact_check:", "data"),
)
