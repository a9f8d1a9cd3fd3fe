with landings as (
    select
        scopes.kind,
        scopes.name as scope,
        landed.source,
        landed.status,
        landed.status_detail,
        landed.upstream_status,
        landed.finished_at,
        landed.covered_from,
        landed.covered_to,
        row_number() over (
            partition by landed.source, scopes.kind, scopes.name order by landed.landing_id desc
        ) as recency,
        row_number() over (
            partition by landed.source, scopes.kind, scopes.name, landed.status order by landed.landing_id desc
        ) as recency_of_status
    from {{ ref('bronze_landings') }} as landed
    inner join {{ ref('sources') }} as sources on landed.source = sources.source
    inner join {{ ref('silver_listed_scopes') }} as scopes
        on sources.kind = scopes.kind and lower(landed.scope) = scopes.match_key
),

visits as (
    select
        source,
        kind,
        scope,
        -- As the newest complete visit has it: an earlier one was cut where a later one went deeper.
        max(case when status = 'ok' and recency_of_status = 1 then covered_from end) as covered_from,
        max(case when status = 'ok' and recency_of_status = 1 then covered_to end) as covered_to,
        max(case when status = 'ok' then finished_at end) as last_fetched_at,
        max(finished_at) as last_visited_at,
        max(case when recency = 1 then status end) as status,
        max(case when recency = 1 then status_detail end) as status_detail,
        max(case when recency = 1 then upstream_status end) as upstream_status
    from landings
    group by source, kind, scope
)

select
    source,
    kind,
    scope,
    covered_from,
    case
        when covered_from = cast({{ day_of('covered_from') }} as timestamp) then {{ day_of('covered_from') }}
        else {{ days_later(day_of('covered_from'), 1) }}
    end as covered_date,
    covered_to,
    last_fetched_at,
    last_visited_at,
    status,
    status_detail,
    upstream_status
from visits
