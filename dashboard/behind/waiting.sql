SELECT repo, number, title, author, created_at, age_days, comments, url
FROM gold.fct_unanswered_issues
WHERE repo IN :repos AND CAST(created_at AS date) BETWEEN :opened_from AND :opened_to
ORDER BY age_days DESC, repo, number
