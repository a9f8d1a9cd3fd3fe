SELECT scope_kind, scope, window_days, person, commits, first_commit_at, carries
FROM gold.fct_people
WHERE scope_kind = 'project' AND scope IN :projects AND window_days = :window AND carries
ORDER BY scope, rank, person
