SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, max_by(num_open, date) AS num_open
FROM gold.fct_all_time_issues_trend
WHERE repo IN :repos AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
