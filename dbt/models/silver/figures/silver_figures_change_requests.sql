with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

change_requests as (
    select
        members.scope_kind,
        members.scope,
        {{ day_of('coalesce(requests.merged_at, requests.closed_at)') }} as ended_on,
        requests.merged_at is not null as is_merged,
        case
            when not requests.is_imported and requests.merged_at >= requests.created_at
                then {{ seconds_between('requests.created_at', 'requests.merged_at') }} / 86400
        end as days_to_merge
    from {{ ref('silver_change_requests') }} as requests
    inner join {{ ref('silver_figure_members') }} as members on members.kind = 'repo' and requests.repo = members.member
    left join {{ ref('silver_people') }} as people on requests.person_key = people.person_key
    where requests.is_counted and not coalesce(people.is_bot, false)
),

ended as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        change_requests.is_merged,
        change_requests.days_to_merge,
        row_number() over (
            partition by weeks.scope_kind, weeks.scope, weeks.week order by change_requests.days_to_merge nulls last
        ) as position,
        count(change_requests.days_to_merge) over (partition by weeks.scope_kind, weeks.scope, weeks.week) as n
    from weeks
    inner join change_requests
        on
            weeks.scope_kind = change_requests.scope_kind
            and weeks.scope = change_requests.scope
            and change_requests.ended_on between {{ days_later('weeks.ends_on', -83) }} and weeks.ends_on
),

windows as (
    select
        scope_kind,
        scope,
        week,
        count(*) as ended,
        count(*) filter (where is_merged) as merged,
        max(n) as num_judged,
        {{ nearest_rank('days_to_merge', 50) }} as median_days
    from ended
    group by scope_kind, scope, week
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    weeks.ends_on,
    windows.median_days as merge_median_days_12w,
    coalesce(windows.num_judged, 0) as merge_median_days_12w_n,
    {{ share('windows.merged', 'windows.ended') }} as acceptance_12w,
    coalesce(windows.ended, 0) as acceptance_12w_n
from weeks
left join windows
    on weeks.scope_kind = windows.scope_kind and weeks.scope = windows.scope and weeks.week = windows.week
where weeks.scope_kind in ('repo', 'project')
