-- A change that affects several sources has a row for each; to a reader it is one break, with one place.
SELECT
    id,
    source,
    scope,
    from_date,
    to_date,
    what_changed,
    effect,
    link,
    dense_rank() OVER (ORDER BY from_date, coalesce(scope, ''), coalesce(to_date, from_date), what_changed) AS place
FROM gold.fct_known_breaks
ORDER BY from_date, id
