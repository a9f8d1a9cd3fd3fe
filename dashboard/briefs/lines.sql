-- The last year of each figure, a value a week.
SELECT scope, figure, list(value ORDER BY week) AS line
FROM gold.fct_figures
WHERE scope_kind = 'project' AND scope IN :projects AND week >= :year_before
GROUP BY scope, figure
ORDER BY scope, figure
