-- All columns, since old publications lack the newer ones.
SELECT *
FROM gold.fct_data_freshness
WHERE scope IN :repos OR scope IN :packages
ORDER BY source, scope
