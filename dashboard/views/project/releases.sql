SELECT project, source, scope, name, released_at, is_prerelease, is_yanked, days_since_previous
FROM gold.fct_releases
WHERE project IN :projects AND (source = 'pypi' OR scope IN :repos) AND CAST(released_at AS date) BETWEEN :first AND :last
ORDER BY released_at DESC, source, scope, name
