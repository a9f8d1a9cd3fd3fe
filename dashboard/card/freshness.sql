SELECT source, scope, last_event_at, last_fetched_at, covered_from, is_stale
FROM gold.fct_data_freshness
