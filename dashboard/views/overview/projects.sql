-- The figures that a summary shows, over the year that the trends look back.
SELECT
    figures.scope_kind,
    figures.scope,
    figures.figure,
    figures.week,
    figures.value,
    figures.n,
    figures.status,
    figures.reason
FROM gold.fct_figures AS figures
JOIN gold.dim_figures AS named ON figures.figure = named.figure
WHERE figures.scope_kind = 'project' AND figures.scope IN :projects
    AND named.headline IS NOT NULL AND figures.week >= :year_before
ORDER BY figures.scope, named.headline, figures.week
