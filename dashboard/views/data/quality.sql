SELECT *
FROM gold.fct_data_quality
WHERE scope IN :repos OR scope IN :packages OR scope NOT IN (SELECT name FROM gold.dim_projects)
ORDER BY CASE WHEN status = 'ok' THEN 1 ELSE 0 END, failing_rows DESC, check_name, scope
