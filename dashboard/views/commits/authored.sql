SELECT repo, CAST(date_trunc(:grain, commit_author_date) AS date) AS date, sum(num_commits_by_people) AS num_commits
FROM gold.fct_all_time_author_commits_trend
WHERE repo IN :repos AND commit_author_date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
