SELECT repo, week, p50_days, p85_days, issues_closed
FROM gold.fct_issue_resolution
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
