SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    median(p50_days) AS p50_days,
    median(p85_days) AS p85_days,
    sum(issues_closed) AS issues_closed
FROM gold.fct_issue_resolution
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
