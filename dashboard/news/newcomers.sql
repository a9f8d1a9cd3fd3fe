SELECT repo, author
FROM gold.fct_first_commits
WHERE repo IN :repos AND first_commit_date >= :week_ago
ORDER BY repo, first_commit_date, author
