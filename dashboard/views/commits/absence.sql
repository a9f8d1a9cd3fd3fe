SELECT repo, window_days, factor, contributors, commits
FROM gold.fct_contributor_absence_factor
WHERE repo IN :repos
ORDER BY repo, CASE WHEN window_days = 0 THEN 1 ELSE 0 END, window_days
