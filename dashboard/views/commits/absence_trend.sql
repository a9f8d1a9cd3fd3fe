SELECT repo, month, factor, contributors, commits
FROM gold.fct_absence_factor_trend
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
