SELECT repo, month, "new", "returning", inactive
FROM gold.fct_contributors
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
