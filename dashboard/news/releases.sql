SELECT project, scope, name, released_at, is_prerelease, days_since_previous
FROM gold.fct_releases
WHERE project IN :projects AND (source = 'pypi' OR scope IN :repos) AND NOT is_yanked AND released_at >= :week_ago
ORDER BY released_at DESC, scope, name
