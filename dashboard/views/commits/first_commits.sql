SELECT repo, author, first_commit_date
FROM gold.fct_first_commits
WHERE repo IN :repos AND first_commit_date BETWEEN :first AND :last
ORDER BY first_commit_date DESC, repo, author
