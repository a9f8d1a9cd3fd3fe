SELECT repo, CAST(date_trunc(:grain, commit_committer_date) AS date) AS date, sum(num_commits) AS num_commits
FROM gold.fct_all_time_committer_commits_trend
WHERE repo IN :repos AND commit_committer_date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
