with events as (
    select * from {{ ref('silver_commit_events') }}
    where role = 'author' and is_counted
),

people as (
    select * from {{ ref('silver_people') }}
),

coverage as (
    select * from {{ ref('silver_repo_coverage') }}
),

commits as (
    {{ covered_commits('events', 'people', 'coverage') }}
),

active_months as (
    select distinct
        commits.repo,
        commits.person_key,
        commits.commits_from,
        {{ month_of('commits.happened_on') }} as month
    from commits
    where commits.is_known and not commits.is_bot and {{ is_covered(month_of('commits.happened_on'), 'commits.commits_from') }}
),

neighbours as (
    select
        repo,
        person_key,
        commits_from,
        month,
        lag(month) over (partition by repo, person_key order by month) as month_before,
        {{ months_later('month', 1) }} as next_month,
        lead(month) over (partition by repo, person_key order by month) as month_after
    from active_months
),

actives as (
    select
        repo,
        month,
        count(*) as active,
        count(*) filter (where month_before is null) as new
    from neighbours
    group by repo, month
),

absents as (
    select
        repo,
        next_month as month,
        count(*) as inactive
    from neighbours
    where month_after is distinct from next_month
    group by repo, next_month
),

firsts as (
    select
        repo,
        max(commits_from) as commits_from,
        min(month) as first_month
    from neighbours
    group by repo
),

months as (
    select distinct month from {{ ref('silver_calendar_days') }}
)

select
    firsts.repo,
    months.month,
    coalesce(actives.active, 0) as active,
    {{ unless_cut('coalesce(actives.new, 0)', 'firsts.commits_from') }} as "new",
    {{ unless_cut('coalesce(actives.active - actives.new, 0)', 'firsts.commits_from') }} as "returning",
    case
        when {{ is_covered(months_later('months.month', -1), 'firsts.commits_from') }} then coalesce(absents.inactive, 0)
    end as inactive
from firsts
inner join months on firsts.first_month <= months.month
left join actives on firsts.repo = actives.repo and months.month = actives.month
left join absents on firsts.repo = absents.repo and months.month = absents.month
