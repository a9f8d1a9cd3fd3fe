-- The table has one row per week: long periods are drawn by month, the others by week.
SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    median(p15_hours) AS p15_hours,
    median(p50_hours) AS p50_hours,
    median(p85_hours) AS p85_hours,
    sum(issues_opened) AS issues_opened
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
