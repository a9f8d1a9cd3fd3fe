SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    CAST(sum(answered) AS double) / nullif(sum(issues_opened), 0) AS share,
    sum(issues_opened) AS issues_opened
FROM gold.fct_issue_response
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
