SELECT id, source, scope, from_date, to_date, what_changed, effect, link
FROM gold.fct_known_breaks
ORDER BY from_date DESC, id
