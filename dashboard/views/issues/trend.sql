WITH spans AS (
    SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, sum(num_opened) AS opened, sum(num_closed) AS closed
    FROM gold.fct_all_time_issues_trend
    WHERE repo IN :repos AND date BETWEEN :first AND :last
    GROUP BY 1, 2
),
complete AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_issues' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
-- A missing row is a zero if the repository's history is complete; if not, the date has no value.
parts AS (
    SELECT
        dates.date,
        CASE WHEN spans.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE spans.opened END AS opened,
        CASE WHEN spans.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE spans.closed END AS closed
    FROM (SELECT DISTINCT date FROM spans) AS dates
    CROSS JOIN (SELECT name AS repo FROM gold.dim_projects WHERE kind = 'repo' AND name IN :repos) AS repos
    LEFT JOIN spans ON repos.repo = spans.repo AND dates.date = spans.date
    LEFT JOIN complete ON repos.repo = complete.scope
)
SELECT date, kind, issues
FROM (
    SELECT 0 AS place, date, 'opened' AS kind, CASE WHEN count(*) = count(opened) THEN sum(opened) END AS issues
    FROM parts
    GROUP BY date
    UNION ALL
    SELECT 1, date, 'closed', CASE WHEN count(*) = count(closed) THEN sum(closed) END
    FROM parts
    GROUP BY date
) AS kinds
ORDER BY place, date
