SELECT repo, week, backlog_index, opened_8w, closed_8w, open_at_end, median_age_days
FROM gold.fct_issue_backlog
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
ORDER BY repo, week
