WITH members AS (
    SELECT project, name FROM gold.dim_projects WHERE kind = 'repo' AND project IN :projects
),
-- Before it was created, a repository counts as zero; after that, a missing snapshot leaves the project without a value.
created AS (
    SELECT repo, CAST(min(created_at) AS date) AS created_on
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY repo
),
facts AS (
    SELECT
        repo,
        snapshot_date AS date,
        stargazers_count AS value
    FROM gold.fct_all_time_base_repo_stats
),
dates AS (
    SELECT DISTINCT members.project, facts.date FROM members JOIN facts ON members.name = facts.repo
),
parts AS (
    SELECT
        dates.project,
        dates.date,
        CASE WHEN facts.repo IS NULL AND created.repo IS NOT NULL THEN 0 ELSE facts.value END AS value
    FROM dates
    JOIN members ON dates.project = members.project
    LEFT JOIN facts ON members.name = facts.repo AND dates.date = facts.date
    LEFT JOIN created ON members.name = created.repo AND dates.date < created.created_on
)
SELECT
    project,
    date,
    CASE WHEN count(*) = count(value) THEN sum(value) END AS value
FROM parts
GROUP BY project, date
ORDER BY project, date
