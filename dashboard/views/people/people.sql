-- Who made commits in the window, and who did in the one before it but no longer.
SELECT
    scope,
    person,
    carries,
    CASE
        WHEN CAST(last_commit_at AS date) < :since THEN 'gone'
        WHEN is_new IS NULL THEN NULL
        WHEN CAST(first_commit_at AS date) >= :since THEN 'new'
        ELSE 'returning'
    END AS status,
    commits,
    share,
    rank,
    first_commit_at,
    last_commit_at,
    co_authored
FROM gold.fct_people
WHERE scope_kind = :scope_kind AND scope IN :scopes AND window_days = :window AND NOT is_bot
UNION ALL
SELECT scope, person, FALSE, 'gone', 0, NULL, NULL, first_commit_at, last_commit_at, 0
FROM gold.fct_people
WHERE scope_kind = :scope_kind AND scope IN :scopes AND window_days = 0 AND :window > 0 AND NOT is_bot
    AND CAST(last_commit_at AS date) >= :gone_from AND CAST(last_commit_at AS date) < :since
ORDER BY scope, rank NULLS LAST, carries DESC, last_commit_at DESC, person
