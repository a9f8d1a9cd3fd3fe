SELECT scope, person, commits, first_commit_at, last_commit_at
FROM gold.fct_people
WHERE scope_kind = :scope_kind AND scope IN :scopes AND window_days = :window AND is_bot
ORDER BY scope, commits DESC, person
