-- The lists that each repo and package should have, and what is missing of them: all, or what lies before or after a date.
with members as (
    select * from {{ ref('silver_listed_scopes') }}
),

expected as (
    select
        members.kind,
        members.name as member,
        sources.source
    from members
    inner join {{ ref('sources') }} as sources on members.kind = sources.kind and not sources.is_optional
    -- Issues that are switched off are not missing: there are none.
    left join {{ ref('silver_repos') }} as repos on members.name = repos.repo and repos.is_current
    where
        members.kind = 'package'
        or repos.repo is null
        or repos.has_issues
        or sources.source not in ('github_issues', 'github_comments')
),

visits as (
    select
        scopes.kind,
        scopes.name as member,
        landed.source,
        landed.status,
        landed.as_of,
        row_number() over (partition by landed.source, scopes.kind, scopes.name order by landed.landing_id desc) as recency
    from {{ ref('bronze_landings') }} as landed
    inner join {{ ref('sources') }} as sources on landed.source = sources.source
    inner join {{ ref('silver_listed_scopes') }} as scopes
        on sources.kind = scopes.kind and lower(landed.scope) = scopes.match_key
),

last_visits as (
    select
        kind,
        member,
        source,
        max(case when recency = 1 then status end) as status,
        max(case when status = 'ok' then as_of end) as fetched_on
    from visits
    group by kind, member, source
),

states as (
    select
        expected.kind,
        expected.member,
        expected.source,
        last_visits.fetched_on,
        coverage.covered_date as known_from,
        {{ day_of('coverage.covered_to') }} as covered_to,
        case last_visits.status when 'gone' then 'not found' when 'closed' then 'not available' else 'not fetched yet' end as why,
        coalesce(last_visits.status in ('gone', 'closed'), false) as is_lost
    from expected
    left join last_visits
        on
            expected.kind = last_visits.kind
            and expected.member = last_visits.member
            and expected.source = last_visits.source
    left join {{ ref('silver_coverage') }} as coverage
        on
            expected.kind = coverage.kind
            and expected.member = coverage.scope
            and expected.source = coverage.source
)

select
    kind,
    member,
    source,
    fetched_on is null as is_missing,
    case when fetched_on is not null then known_from end as known_from,
    case
        when is_lost then fetched_on
        when fetched_on is not null then {{ days_later('covered_to', -1) }}
    end as known_until,
    fetched_on is not null and (known_from is not null or covered_to is not null) as is_cut,
    case
        when fetched_on is null then 'without ' || member || ': ' || why
        when is_lost then member || ': ' || why || ' since ' || cast(fetched_on as varchar)
        when covered_to is not null then member || ': incomplete since ' || cast(covered_to as varchar)
        when known_from is not null then member || ': known from ' || cast(known_from as varchar)
    end as gap
from states
