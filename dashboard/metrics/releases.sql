-- Releases belong to the project as a whole. From the first one on, a month without any is a zero.
WITH complete AS (
    SELECT members.project
    FROM gold.dim_projects AS members
    LEFT JOIN gold.fct_data_freshness AS fresh
        ON members.name = fresh.scope AND fresh.last_fetched_at IS NOT NULL
        AND fresh.source = CASE members.kind WHEN 'repo' THEN 'github_releases' ELSE 'pypi_releases' END
    WHERE members.project IN :projects
    GROUP BY members.project
    HAVING count(*) = count(fresh.scope)
),
finals AS (
    SELECT project, CAST(date_trunc('month', released_at) AS date) AS date, count(*) AS releases
    FROM gold.fct_releases
    WHERE NOT is_prerelease AND NOT is_yanked
    GROUP BY 1, 2
),
months AS (
    SELECT month AS date FROM gold.fct_contributors
    UNION
    SELECT date FROM finals
),
firsts AS (
    SELECT project, min(date) AS first_date FROM finals GROUP BY project
)
SELECT complete.project, months.date, coalesce(finals.releases, 0) AS value
FROM complete
JOIN firsts ON complete.project = firsts.project
JOIN months ON firsts.first_date <= months.date
LEFT JOIN finals ON complete.project = finals.project AND months.date = finals.date
ORDER BY complete.project, months.date
