with change_requests as (
    select
        requests.repo,
        requests.number,
        {{ month_of('requests.created_at') }} as month,
        requests.merged_at is not null as is_merged,
        requests.merged_at is null and requests.closed_at is not null as is_refused,
        case
            when not requests.is_imported and requests.merged_at >= requests.created_at
                then {{ seconds_between('requests.created_at', 'requests.merged_at') }} / 86400
        end as days_to_merge
    from {{ ref('silver_change_requests') }} as requests
    left join {{ ref('silver_repo_coverage') }} as coverage on requests.repo = coverage.repo
    where requests.is_counted and {{ is_covered(month_of('requests.created_at'), 'coverage.pulls_from') }}
),

ranked as (
    select
        *,
        row_number() over (partition by repo, month order by days_to_merge nulls last) as position,
        count(days_to_merge) over (partition by repo, month) as n
    from change_requests
),

monthly as (
    select
        repo,
        month,
        count(*) as opened,
        count(*) filter (where is_merged) as merged,
        count(*) filter (where is_refused) as closed_unmerged,
        {{ nearest_rank('days_to_merge', 50) }} as p50_days_to_merge
    from ranked
    group by repo, month
),

firsts as (
    select
        repo,
        min(month) as first_month
    from monthly
    group by repo
),

months as (
    select distinct month from {{ ref('silver_calendar_days') }}
)

select
    firsts.repo,
    months.month,
    coalesce(monthly.opened, 0) as opened,
    coalesce(monthly.merged, 0) as merged,
    coalesce(monthly.closed_unmerged, 0) as closed_unmerged,
    coalesce(monthly.opened - monthly.merged - monthly.closed_unmerged, 0) as still_open,
    {{ share('monthly.merged', '(monthly.merged + monthly.closed_unmerged)') }} as acceptance_ratio,
    monthly.p50_days_to_merge
from firsts
inner join months on firsts.first_month <= months.month
left join monthly on firsts.repo = monthly.repo and months.month = monthly.month
