with expected as (
    select
        sources.source,
        sources.kind,
        sources.stale_after_hours,
        sources.is_optional,
        scopes.name as scope
    from {{ ref('sources') }} as sources
    inner join {{ ref('silver_listed_scopes') }} as scopes on sources.kind = scopes.kind
),

freshness as (
    select
        expected.source,
        expected.scope,
        expected.stale_after_hours,
        held.last_event_at,
        coverage.last_fetched_at,
        coverage.covered_from,
        coverage.status,
        coalesce(held.row_count, 0) as row_count,
        {{ seconds_between('coverage.last_fetched_at', run_time()) }} / 3600 as lag_hours
    from expected
    left join {{ ref('silver_coverage') }} as coverage
        on expected.source = coverage.source and expected.scope = coverage.scope
    left join {{ ref('silver_source_rows') }} as held
        on expected.source = held.source and expected.scope = held.scope
    -- A source that nobody switched on is not late.
    where not expected.is_optional or coverage.status is not null
)

select
    source,
    scope,
    last_event_at,
    last_fetched_at,
    covered_from,
    row_count as "rows",
    lag_hours,
    stale_after_hours,
    -- What upstream took away, or was never had, can only get older.
    coalesce(lag_hours > stale_after_hours or status = 'gone', true) as is_stale
from freshness
