WITH months AS (
    SELECT repo, month AS date, "new" AS newcomers, "returning" AS returners, inactive
    FROM gold.fct_contributors
    WHERE repo IN :repos AND month BETWEEN :first_month AND :last
),
complete AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_commits' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
-- A missing row is a zero if the repository's history is complete; if not, the month has no value.
parts AS (
    SELECT
        dates.date,
        CASE WHEN months.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE months.newcomers END AS newcomers,
        CASE WHEN months.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE months.returners END AS returners,
        CASE WHEN months.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE months.inactive END AS inactive
    FROM (SELECT DISTINCT date FROM months) AS dates
    CROSS JOIN (SELECT name AS repo FROM gold.dim_projects WHERE kind = 'repo' AND name IN :repos) AS repos
    LEFT JOIN months ON repos.repo = months.repo AND dates.date = months.date
    LEFT JOIN complete ON repos.repo = complete.scope
)
SELECT date, kind, people
FROM (
    SELECT 0 AS place, date, 'new' AS kind, CASE WHEN count(*) = count(newcomers) THEN sum(newcomers) END AS people
    FROM parts
    GROUP BY date
    UNION ALL
    SELECT 1, date, 'returning', CASE WHEN count(*) = count(returners) THEN sum(returners) END
    FROM parts
    GROUP BY date
    UNION ALL
    SELECT 2, date, 'inactive', CASE WHEN count(*) = count(inactive) THEN sum(inactive) END
    FROM parts
    GROUP BY date
) AS kinds
ORDER BY place, date
