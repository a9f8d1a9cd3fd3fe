SELECT repo, author, num_commits
FROM gold.fct_num_author_commits_by_repo
WHERE repo IN :repos AND is_bot
ORDER BY repo, num_commits DESC, author
