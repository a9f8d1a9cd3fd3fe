SELECT repo, week, CAST(answered AS double) / nullif(issues_opened, 0) AS share, answered, unanswered, issues_opened
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
