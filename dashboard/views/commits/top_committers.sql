SELECT repo, committer, num_commits, rank
FROM gold.fct_num_committer_commits_by_repo
WHERE repo IN :repos AND rank <= 3
ORDER BY repo, rank, committer
