SELECT repo, date, issues_last_7_days
FROM gold.fct_last_7_days_fct_issues
WHERE repo IN :repos AND date BETWEEN :first AND :last
ORDER BY repo, date
