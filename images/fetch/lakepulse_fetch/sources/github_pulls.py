"""Pull requests with their merge times. Never swept: a pull request is in the list of issues too."""

from __future__ import annotations

from lakepulse_fetch.lists import ListState, ListWalk
from lakepulse_fetch.visit import Source, Visit


def _visit(visit: Visit) -> None:
    base = f"/repositories/{visit.repository().id}/pulls?state=all"
    ListWalk(visit, f"{base}&sort=updated&direction=desc", None, "number").run()


SOURCES = (Source("github_pulls", _visit, ListState),)
