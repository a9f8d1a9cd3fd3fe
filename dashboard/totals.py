"""SQL of figures that are made of several repositories or packages: null unless each of them has its part.

A repository whose history is held whole has a part of zero before its first row, since nothing happened; one whose
history is cut has none there, and nor has the whole.
"""

from __future__ import annotations

from collections.abc import Mapping


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


def summed(parts: str, source: str, kinds: Mapping[str, str], value: str) -> str:
    """A query of `date`, `kind` and the value, summed over the chosen repositories, the kinds in their order.

    `parts` is a query of repo, date and the columns that `kinds` names for each kind; `source` is what they are counted from.
    """
    zeros = ", ".join(
        f"CASE WHEN parts.repo IS NULL AND known.scope IS NOT NULL THEN 0 ELSE parts.{column} END AS {column}"
        for column in kinds.values()
    )
    union = "\n    UNION ALL ".join(
        f"SELECT {place} AS place, date, '{kind}' AS kind, {total(column)} AS {value} FROM whole GROUP BY date"  # noqa: S608 - as below
        for place, (kind, column) in enumerate(kinds.items())
    )
    return f"""
WITH parts AS ({parts}),
known AS ({held(source)}),
whole AS (
    SELECT dates.date, {zeros}
    FROM (SELECT DISTINCT date FROM parts) AS dates
    CROSS JOIN (SELECT name AS repo FROM gold.dim_projects WHERE kind = 'repo' AND name IN :repos) AS repos
    LEFT JOIN parts ON repos.repo = parts.repo AND dates.date = parts.date
    LEFT JOIN known ON repos.repo = known.scope
)
SELECT date, kind, {value}
FROM (
    {union}
) AS kinds
ORDER BY place, date
"""  # noqa: S608 - every part is written by the pages
