SELECT
    repo,
    CAST(date_trunc(:spans, week) AS date) AS week,
    max_by(backlog_index, week) AS backlog_index,
    max_by(open_at_end, week) AS open_at_end,
    max_by(median_age_days, week) AS median_age_days,
    sum(opened_8w) AS opened_8w
FROM gold.fct_issue_backlog
WHERE repo IN :repos AND week BETWEEN :first_week AND :last
GROUP BY 1, 2
ORDER BY 1, 2
