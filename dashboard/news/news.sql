SELECT project, scope, kind, happened_on, subject, value, usual
FROM gold.fct_news
WHERE project IN :projects
ORDER BY kind, happened_on DESC, project, scope, subject
