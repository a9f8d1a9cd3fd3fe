-- Projects first: of a project and a package with the same name, the project is drawn.
SELECT scope_kind, scope, week, value, n, status, reason
FROM gold.fct_figures
WHERE figure = :figure AND week BETWEEN :first_week AND :last
    AND (
        (scope_kind = 'project' AND scope IN :of_projects)
        OR (scope_kind = 'repo' AND scope IN :of_repos)
        OR (scope_kind = 'package' AND scope IN :of_packages)
    )
ORDER BY CASE scope_kind WHEN 'project' THEN 0 ELSE 1 END, scope, week
