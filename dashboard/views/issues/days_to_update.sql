SELECT repo, days_to_update, sum(num_issues) AS num_issues
FROM (
    SELECT
        repo,
        num_issues,
        CASE
            WHEN num_days < 1 THEN '0'
            WHEN num_days <= 7 THEN '1–7'
            WHEN num_days <= 30 THEN '8–30'
            WHEN num_days <= 90 THEN '31–90'
            WHEN num_days <= 365 THEN '91–365'
            ELSE 'over 365'
        END AS days_to_update
    FROM gold.fct_num_updated_issues
    WHERE repo IN :repos
) AS binned
GROUP BY 1, 2
ORDER BY 1, 2
