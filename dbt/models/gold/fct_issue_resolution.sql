with issues as (
    {{ counted_issues() }}
),

resolutions as (
    select
        repo,
        {{ week_of('closed_at') }} as week,
        case
            when not is_imported and closed_at >= created_at
                then {{ seconds_between('created_at', 'closed_at') }} / 86400
        end as days
    from issues
    where closed_at is not null and {{ is_covered(week_of('closed_at'), 'issues_from') }}
),

ranked as (
    select
        repo,
        week,
        days,
        row_number() over (partition by repo, week order by days nulls last) as position,
        count(days) over (partition by repo, week) as n
    from resolutions
),

weekly as (
    select
        repo,
        week,
        count(*) as issues_closed,
        {{ nearest_rank('days', 50) }} as p50_days,
        {{ nearest_rank('days', 85) }} as p85_days
    from ranked
    group by repo, week
),

firsts as (
    select
        repo,
        min(week) as first_week
    from weekly
    group by repo
),

weeks as (
    select distinct week from {{ ref('silver_calendar_days') }}
)

select
    firsts.repo,
    weeks.week,
    coalesce(weekly.issues_closed, 0) as issues_closed,
    weekly.p50_days,
    weekly.p85_days
from firsts
inner join weeks on firsts.first_week <= weeks.week
left join weekly on firsts.repo = weekly.repo and weeks.week = weekly.week
