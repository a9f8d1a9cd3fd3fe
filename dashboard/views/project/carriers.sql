SELECT person, commits, share, rank, first_commit_at, last_commit_at, is_new
FROM gold.fct_people
WHERE scope_kind = 'project' AND scope IN :projects AND window_days = :window AND (carries OR rank <= 5)
ORDER BY rank, carries DESC, person
