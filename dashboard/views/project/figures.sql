-- The figures that answer a question: of the project, its repositories and its packages.
SELECT figures.scope_kind, figures.scope, figures.figure, figures.week, figures.value, figures.n, figures.status, figures.reason
FROM gold.fct_figures AS figures
JOIN gold.dim_figures AS named ON figures.figure = named.figure
WHERE named.question = :question AND figures.week BETWEEN :first_week AND :last
    AND (
        (figures.scope_kind = 'project' AND figures.scope IN :projects)
        OR (figures.scope_kind = 'repo' AND figures.scope IN :repos)
        OR (figures.scope_kind = 'package' AND figures.scope IN :packages)
    )
ORDER BY figures.figure, figures.scope_kind, figures.scope, figures.week
