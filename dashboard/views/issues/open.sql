SELECT repo, date, num_open
FROM gold.fct_all_time_issues_trend
WHERE repo IN :repos AND date BETWEEN :first AND :last
ORDER BY repo, date
