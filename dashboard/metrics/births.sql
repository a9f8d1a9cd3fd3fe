-- When a project's first repository was created and when its first package was first released.
SELECT members.project, members.kind, min(births.born) AS born
FROM gold.dim_projects AS members
JOIN (
    SELECT 'repo' AS kind, repo AS name, CAST(min(created_at) AS date) AS born
    FROM gold.fct_all_time_base_repo_stats
    GROUP BY repo
    UNION ALL
    SELECT 'package' AS kind, scope AS name, CAST(min(released_at) AS date) AS born
    FROM gold.fct_releases
    WHERE source = 'pypi'
    GROUP BY scope
) AS births ON members.kind = births.kind AND members.name = births.name
WHERE members.project IN :projects
GROUP BY members.project, members.kind
ORDER BY members.project, members.kind
