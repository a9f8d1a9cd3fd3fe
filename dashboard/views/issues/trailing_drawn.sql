SELECT repo, CAST(date_trunc(:grain, date) AS date) AS date, avg(issues_last_7_days) AS issues_last_7_days
FROM gold.fct_last_7_days_fct_issues
WHERE repo IN :repos AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
