SELECT repo, week, p15_hours, p50_hours, p85_hours, issues_opened, answered, unanswered
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
