SELECT project, kind, name FROM gold.dim_projects ORDER BY project, kind, name
