WITH members AS (
    SELECT project, name FROM gold.dim_projects WHERE kind = 'repo' AND project IN :projects
),
-- A missing row is a zero if the repository's history is complete; if not, the project has no value.
complete AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_issues' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
facts AS (
    SELECT
        repo,
        week AS date,
        closed_8w,
        opened_8w
    FROM gold.fct_issue_backlog
),
dates AS (
    SELECT DISTINCT members.project, facts.date FROM members JOIN facts ON members.name = facts.repo
),
parts AS (
    SELECT
        dates.project,
        dates.date,
        CASE WHEN facts.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE facts.closed_8w END AS closed_8w,
        CASE WHEN facts.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE facts.opened_8w END AS opened_8w
    FROM dates
    JOIN members ON dates.project = members.project
    LEFT JOIN facts ON members.name = facts.repo AND dates.date = facts.date
    LEFT JOIN complete ON members.name = complete.scope
)
SELECT
    project,
    date,
    CAST(CASE WHEN count(*) = count(closed_8w) THEN sum(closed_8w) END AS double)
        / nullif(CASE WHEN count(*) = count(opened_8w) THEN sum(opened_8w) END, 0) AS value
FROM parts
GROUP BY project, date
ORDER BY project, date
