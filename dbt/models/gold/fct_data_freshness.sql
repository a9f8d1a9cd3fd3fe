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
        coverage.covered_to,
        coverage.status,
        coverage.status_detail,
        coverage.upstream_status,
        coalesce(held.row_count, 0) as row_count,
        {{ seconds_between('coverage.last_fetched_at', run_time()) }} / 3600 as lag_hours,
        {{ seconds_between('coverage.last_visited_at', run_time()) }} / 3600 as hours_since_visit
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
    coalesce(
        case status
            -- It can only get older.
            when 'gone' then true
            -- Nothing is late while upstream keeps answering that it gives none.
            when 'closed' then hours_since_visit > stale_after_hours
            else lag_hours > stale_after_hours
        end,
        true
    ) as is_stale,
    covered_to,
    status,
    status_detail,
    upstream_status
from freshness
