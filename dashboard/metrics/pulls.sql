WITH members AS (
    SELECT project, name FROM gold.dim_projects WHERE kind = 'repo' AND project IN :projects
),
-- A missing row is a zero if the repository's history is complete; if not, the project has no value.
complete AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_pulls' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
facts AS (
    SELECT
        repo,
        month AS date,
        opened AS value
    FROM gold.fct_change_requests
),
dates AS (
    SELECT DISTINCT members.project, facts.date FROM members JOIN facts ON members.name = facts.repo
),
parts AS (
    SELECT
        dates.project,
        dates.date,
        CASE WHEN facts.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE facts.value END AS value
    FROM dates
    JOIN members ON dates.project = members.project
    LEFT JOIN facts ON members.name = facts.repo AND dates.date = facts.date
    LEFT JOIN complete ON members.name = complete.scope
)
SELECT
    project,
    date,
    CASE WHEN count(*) = count(value) THEN sum(value) END AS value
FROM parts
GROUP BY project, date
ORDER BY project, date
