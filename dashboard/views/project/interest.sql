SELECT repo, snapshot_date AS date, stargazers_count AS stars, forks_count AS forks, subscribers_count AS subscribers
FROM gold.fct_all_time_base_repo_stats
WHERE repo IN :repos AND snapshot_date BETWEEN :first AND :last
ORDER BY repo, date
