SELECT repo, month, merged, closed_unmerged, still_open
FROM gold.fct_change_requests
WHERE repo IN :repos AND month BETWEEN :first_month AND :last
ORDER BY repo, month
