SELECT
    repo,
    CAST(date_trunc(:grain, snapshot_date) AS date) AS date,
    max_by(stargazers_count, snapshot_date) AS stars,
    max_by(forks_count, snapshot_date) AS forks,
    max_by(subscribers_count, snapshot_date) AS subscribers
FROM gold.fct_all_time_base_repo_stats
WHERE repo IN :repos AND snapshot_date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
