WITH months AS (
    SELECT repo, month AS date, merged, closed_unmerged, still_open
    FROM gold.fct_change_requests
    WHERE repo IN :repos AND month BETWEEN :first_month AND :last
),
complete AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_pulls' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
-- A missing row is a zero if the repository's history is complete; if not, the month has no value.
parts AS (
    SELECT
        dates.date,
        CASE WHEN months.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE months.merged END AS merged,
        CASE WHEN months.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE months.closed_unmerged END AS closed_unmerged,
        CASE WHEN months.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE months.still_open END AS still_open
    FROM (SELECT DISTINCT date FROM months) AS dates
    CROSS JOIN (SELECT name AS repo FROM gold.dim_projects WHERE kind = 'repo' AND name IN :repos) AS repos
    LEFT JOIN months ON repos.repo = months.repo AND dates.date = months.date
    LEFT JOIN complete ON repos.repo = complete.scope
)
SELECT date, kind, pulls
FROM (
    SELECT 0 AS place, date, 'merged' AS kind, CASE WHEN count(*) = count(merged) THEN sum(merged) END AS pulls
    FROM parts
    GROUP BY date
    UNION ALL
    SELECT 1, date, 'closed unmerged', CASE WHEN count(*) = count(closed_unmerged) THEN sum(closed_unmerged) END
    FROM parts
    GROUP BY date
    UNION ALL
    SELECT 2, date, 'still open', CASE WHEN count(*) = count(still_open) THEN sum(still_open) END
    FROM parts
    GROUP BY date
) AS kinds
ORDER BY place, date
