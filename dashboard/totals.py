"""SQL of figures that are made of several repositories or packages: null unless each of them has its part.

A repository whose history is held whole has a part of zero before its first row, since nothing happened; one whose
history is cut has none there, and nor has the whole.
"""

from __future__ import annotations


def total(value: str) -> str:
    """The sum of a group's values; null unless each of its rows has one."""
    return f"CASE WHEN count(*) = count({value}) THEN sum({value}) END"


def held(*sources: str) -> str:
    """A query of the scopes whose history of all these upstream lists is held whole."""
    listed = ", ".join(f"'{source}'" for source in sources)
    return f"""
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source IN ({listed}) AND last_fetched_at IS NOT NULL AND covered_from IS NULL
    GROUP BY scope
    HAVING count(*) = {len(sources)}
"""  # noqa: S608 - names of our own
