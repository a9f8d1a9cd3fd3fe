SELECT
    stats.repo, stats.snapshot_date, stats.stargazers_count, stats.forks_count, stats.subscribers_count,
    stats.open_issues_count, stats.watchers_count, stats.network_count, stats.size_kb,
    stats.created_at, stats.pushed_at, stats.updated_at
FROM gold.fct_all_time_base_repo_stats AS stats
JOIN (
    SELECT repo, max(snapshot_date) AS snapshot_date
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY repo
) AS newest ON newest.repo = stats.repo AND newest.snapshot_date = stats.snapshot_date
WHERE stats.repo IN :repos
ORDER BY stats.stargazers_count DESC, stats.repo
