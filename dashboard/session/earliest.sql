SELECT min(first) AS first
FROM (
    SELECT min(commit_author_date) AS first FROM gold.fct_all_time_author_commits_trend
    UNION ALL
    SELECT min(commit_committer_date) AS first FROM gold.fct_all_time_committer_commits_trend
    UNION ALL
    SELECT min(date) AS first FROM gold.fct_percent_change_downloads_overall
    UNION ALL
    SELECT min(date) AS first FROM gold.fct_all_time_issues_trend
    UNION ALL
    SELECT min(month) AS first FROM gold.fct_change_requests
    UNION ALL
    SELECT CAST(min(released_at) AS date) AS first FROM gold.fct_releases
) AS firsts
