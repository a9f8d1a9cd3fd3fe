select
    freshness.source,
    freshness.scope,
    freshness.status,
    freshness.status_detail as detail,
    freshness.is_stale,
    freshness.last_fetched_at,
    freshness.covered_from,
    freshness.covered_to
from gold.fct_data_freshness as freshness
where
    ($sources is null or list_contains($sources, freshness.source))
    and freshness.scope in (select projects.name from gold.dim_projects as projects where list_contains($projects, projects.project))
order by freshness.source, freshness.scope
