-- Backlogs that turned: growing at the end of the last complete week and shrinking a week earlier, or the reverse.
SELECT this.repo, this.backlog_index, before.backlog_index AS index_before, this.open_at_end
FROM gold.fct_issue_backlog AS this
JOIN gold.fct_issue_backlog AS before ON this.repo = before.repo
WHERE this.repo IN :repos AND this.week = :last_week AND before.week = :week_before
    AND (
        (this.backlog_index < 1 AND before.backlog_index >= 1)
        OR (this.backlog_index > 1 AND before.backlog_index <= 1)
    )
ORDER BY this.repo
