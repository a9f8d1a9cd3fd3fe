"""Comments on issues and pull requests, all of a repository in one list."""

from __future__ import annotations

from lakepulse_fetch.answers import Refusal
from lakepulse_fetch.lists import ListState, ListWalk
from lakepulse_fetch.visit import Source, Visit


def _visit(visit: Visit) -> None:
    base = f"/repositories/{visit.repository().id}/issues/comments"
    ListWalk(visit, f"{base}?sort=updated&direction=desc", f"{base}?sort=created&direction=asc", "id").run()


# 410: issues are switched off, and comments with them.
SOURCES = (Source("github_comments", _visit, ListState, refusals=(Refusal(410),)),)
