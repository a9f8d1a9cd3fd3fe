SELECT project, state, flags, sentence
FROM gold.fct_project_state
WHERE project IN :projects
ORDER BY project
