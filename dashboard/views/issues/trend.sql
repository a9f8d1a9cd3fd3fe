SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, sum(num_opened) AS opened, sum(num_closed) AS closed
FROM gold.fct_all_time_issues_trend
WHERE repo IN :repos AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
