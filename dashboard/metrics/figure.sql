SELECT scope AS project, week AS date, value, n, status, reason
FROM gold.fct_figures
WHERE scope_kind = 'project' AND figure = :figure AND scope IN :projects
ORDER BY 1, 2
