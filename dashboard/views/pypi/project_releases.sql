-- Each version once, with where it can be read about.
SELECT
    versions.project,
    versions.version,
    CAST(versions.released_at AS date) AS date,
    versions.is_on_pypi,
    versions.is_on_github,
    min(CASE WHEN places.source = 'pypi' THEN places.scope END) AS package,
    min(CASE WHEN places.source = 'github' THEN places.scope END) AS repo,
    min_by(places.name, places.scope) FILTER (WHERE places.source = 'github') AS tag
FROM gold.fct_project_releases AS versions
LEFT JOIN gold.fct_releases AS places ON versions.project = places.project AND versions.version = places.version
WHERE versions.project IN :projects AND CAST(versions.released_at AS date) BETWEEN :first AND :last
GROUP BY 1, 2, 3, 4, 5
ORDER BY date DESC, versions.project, versions.version
