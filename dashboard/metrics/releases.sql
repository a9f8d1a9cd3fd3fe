-- From a project's first release on, a month without one is a zero.
WITH months AS (
    SELECT DISTINCT CAST(date_trunc('month', week) AS date) AS date FROM gold.fct_figures
),
counts AS (
    SELECT project, CAST(date_trunc('month', released_at) AS date) AS date, count(*) AS releases
    FROM gold.fct_project_releases
    WHERE project IN :projects
    GROUP BY 1, 2
),
firsts AS (
    SELECT project, min(date) AS first_date FROM counts GROUP BY 1
)
SELECT firsts.project, months.date, coalesce(counts.releases, 0) AS value
FROM firsts
JOIN months ON firsts.first_date <= months.date
LEFT JOIN counts ON firsts.project = counts.project AND months.date = counts.date
ORDER BY 1, 2
