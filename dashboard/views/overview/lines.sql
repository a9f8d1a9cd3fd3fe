-- The points of the sparklines, evenly spaced: half a year by week, the absence factor a year by month. A point is null unless
-- every member has one.
WITH members AS (
    SELECT project, kind, name
    FROM gold.dim_projects
    WHERE project IN :projects AND (kind = 'package' OR name IN :repos)
),
points AS (
    SELECT
        'stars' AS figure, repo AS name, CAST(date_trunc('week', snapshot_date) AS date) AS date,
        max_by(stargazers_count, snapshot_date) AS value
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY 2, 3
    UNION ALL
    SELECT 'downloads', package, CAST(date_trunc('week', date) AS date), downloads_7d
    FROM gold.fct_percent_change_downloads_overall
    WHERE category = 'without_mirrors' AND date = CAST(date_trunc('week', date) AS date) + INTERVAL '6' DAY
    UNION ALL
    SELECT 'issues', repo, week, open_at_end FROM gold.fct_issue_backlog
    UNION ALL
    SELECT 'response', repo, week, p50_hours FROM gold.fct_issue_response
    UNION ALL
    SELECT 'absence', repo, month, factor FROM gold.fct_absence_factor_trend
),
figures AS (
    SELECT 'stars' AS figure, 'repo' AS kind, 'week' AS step
    UNION ALL SELECT 'downloads', 'package', 'week'
    UNION ALL SELECT 'issues', 'repo', 'week'
    UNION ALL SELECT 'response', 'repo', 'week'
    UNION ALL SELECT 'absence', 'repo', 'month'
),
dates AS (
    SELECT 'week' AS step, CAST(unnest(generate_series(:half_year_ago, :this_week, INTERVAL '7' DAY)) AS date) AS date
    UNION ALL
    SELECT 'month', CAST(unnest(generate_series(:year_ago, :this_month, INTERVAL '1' MONTH)) AS date)
)
SELECT
    members.project,
    figures.figure,
    dates.date,
    CASE figures.figure
        WHEN 'response' THEN avg(points.value)
        WHEN 'absence' THEN CASE WHEN count(*) = count(points.value) THEN min(points.value) END
        ELSE CASE WHEN count(*) = count(points.value) THEN sum(CAST(points.value AS double)) END
    END AS value
FROM members
JOIN figures ON members.kind = figures.kind
JOIN dates ON figures.step = dates.step
LEFT JOIN points ON members.name = points.name AND figures.figure = points.figure AND dates.date = points.date
-- The current week has no sum yet, but it has a number of stars.
WHERE figures.step = 'month' OR dates.date < :this_week OR figures.figure = 'stars'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
