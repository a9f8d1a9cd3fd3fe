-- Every figure of these projects in the newest week, a month before and a year before.
SELECT scope_kind, scope, figure, week, value, n, status, reason
FROM gold.fct_figures
WHERE scope_kind = 'project' AND scope IN :projects AND week IN (:week, :month_before, :year_before)
ORDER BY scope, figure, week
