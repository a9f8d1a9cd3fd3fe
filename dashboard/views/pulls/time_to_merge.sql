SELECT repo, month, p50_days_to_merge, merged
FROM gold.fct_change_requests
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
