SELECT scope AS package, name, CAST(released_at AS date) AS date
FROM gold.fct_releases
WHERE source = 'pypi' AND scope IN :packages AND NOT is_prerelease
    AND CAST(released_at AS date) BETWEEN :first AND :last
ORDER BY 1, 3, 2
