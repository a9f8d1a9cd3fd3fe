select breaks.id, breaks.source, breaks.scope, breaks.from_date, breaks.to_date, breaks.what_changed, breaks.effect, breaks.link
from gold.fct_known_breaks as breaks
where
    exists (select 1 from unnest($sources) as known (source) where known.source = breaks.source or starts_with(known.source, breaks.source || '_'))
    and (
        breaks.scope is null
        or breaks.scope in (select projects.name from gold.dim_projects as projects where list_contains($projects, projects.project))
    )
    and breaks.from_date <= $last
    and coalesce(breaks.to_date, breaks.from_date) >= $first
order by breaks.from_date, breaks.id
