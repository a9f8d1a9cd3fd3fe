SELECT repo, number, title, author, created_at, age_days, comments, url
FROM gold.fct_unanswered_issues
WHERE repo IN :repos
ORDER BY created_at, repo, number
LIMIT 10
