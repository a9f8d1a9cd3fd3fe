with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

versions as (
    select
        *,
        {{ day_of('released_at') }} as final_on
    from {{ ref('silver_scope_versions') }}
),

windows as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        count(*) filter (where versions.final_on > {{ days_later('weeks.ends_on', -365) }}) as releases_365d,
        max(versions.final_on) as newest_on
    from weeks
    inner join versions
        on weeks.scope_kind = versions.scope_kind and weeks.scope = versions.scope and weeks.ends_on >= versions.final_on
    group by weeks.scope_kind, weeks.scope, weeks.week
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    weeks.ends_on,
    coalesce(windows.releases_365d, 0) as releases_365d,
    coalesce(windows.releases_365d, 0) as releases_365d_n,
    {{ days_between('windows.newest_on', 'weeks.ends_on') }} as days_since_release,
    case when windows.newest_on is null then 0 else 1 end as days_since_release_n,
    case when windows.newest_on is null then 'none' end as days_since_release_status,
    case when windows.newest_on is null then 'no release' end as days_since_release_reason
from weeks
left join windows
    on weeks.scope_kind = windows.scope_kind and weeks.scope = windows.scope and weeks.week = windows.week
