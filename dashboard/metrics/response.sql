WITH members AS (
    SELECT project, name FROM gold.dim_projects WHERE kind = 'repo' AND project IN :projects
),
-- A missing row is a zero if the repository's history is complete; if not, the project has no value.
complete AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source IN ('github_issues', 'github_comments') AND last_fetched_at IS NOT NULL AND covered_from IS NULL
    GROUP BY scope
    HAVING count(*) = 2
),
facts AS (
    SELECT
        repo,
        week AS date,
        p50_hours,
        issues_opened
    FROM gold.fct_issue_response
),
dates AS (
    SELECT DISTINCT members.project, facts.date FROM members JOIN facts ON members.name = facts.repo
),
parts AS (
    SELECT
        dates.project,
        dates.date,
        facts.p50_hours,
        CASE WHEN facts.repo IS NULL AND complete.scope IS NOT NULL THEN 0 ELSE facts.issues_opened END AS issues_opened
    FROM dates
    JOIN members ON dates.project = members.project
    LEFT JOIN facts ON members.name = facts.repo AND dates.date = facts.date
    LEFT JOIN complete ON members.name = complete.scope
)
SELECT
    project,
    date,
    CASE WHEN count(*) = count(issues_opened) THEN max(p50_hours) END AS value
FROM parts
GROUP BY project, date
ORDER BY project, date
