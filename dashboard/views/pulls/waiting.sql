SELECT repo, number, title, author, is_bot, created_at, age_days, url
FROM gold.fct_open_change_requests
WHERE repo IN :repos
ORDER BY age_days DESC, repo, number
