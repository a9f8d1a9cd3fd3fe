with issues as (
    {{ counted_issues() }}
),

responses as (
    select
        issues.repo,
        {{ week_of('issues.created_at') }} as week,
        responses.is_judged,
        case
            when responses.is_judged
                then {{ seconds_between('issues.created_at', 'responses.first_response_at') }} / 3600
        end as hours
    from issues
    inner join {{ ref('silver_issue_responses') }} as responses
        on issues.repo = responses.repo and issues.number = responses.number
    left join {{ ref('silver_repo_coverage') }} as coverage on issues.repo = coverage.repo
    where
        {{ is_covered(week_of('issues.created_at'), 'issues.issues_from') }}
        and {{ is_covered(week_of('issues.created_at'), 'coverage.comments_from') }}
),

ranked as (
    select
        repo,
        week,
        is_judged,
        hours,
        row_number() over (partition by repo, week order by hours nulls last) as position,
        count(hours) over (partition by repo, week) as n
    from responses
),

weekly as (
    select
        repo,
        week,
        count(*) as issues_opened,
        count(hours) as answered,
        count(*) filter (where is_judged and hours is null) as unanswered,
        {{ nearest_rank('hours', 15) }} as p15_hours,
        {{ nearest_rank('hours', 50) }} as p50_hours,
        {{ nearest_rank('hours', 85) }} as p85_hours
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
    coalesce(weekly.issues_opened, 0) as issues_opened,
    coalesce(weekly.answered, 0) as answered,
    coalesce(weekly.unanswered, 0) as unanswered,
    weekly.p15_hours,
    weekly.p50_hours,
    weekly.p85_hours
from firsts
inner join weeks on firsts.first_week <= weeks.week
left join weekly on firsts.repo = weekly.repo and weeks.week = weekly.week
