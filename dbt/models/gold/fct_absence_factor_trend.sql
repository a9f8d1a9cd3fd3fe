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

-- A commit falls into up to thirteen windows: counted by day first.
person_days as (
    select
        commits.repo,
        commits.person_key,
        commits.happened_on,
        count(*) as num_commits
    from commits
    where commits.is_known and not commits.is_bot
    group by commits.repo, commits.person_key, commits.happened_on
),

firsts as (
    select
        repo,
        max(commits_from) as commits_from,
        min({{ month_of('happened_on') }}) as first_month
    from commits
    group by repo
),

-- The calendar ends at as_of, and so does the month that runs.
months as (
    select
        month,
        max(date) as last_date
    from {{ ref('silver_calendar_days') }}
    group by month
),

windows as (
    select
        firsts.repo,
        months.month,
        months.last_date,
        {{ days_later('months.last_date', -364) }} as first_date,
        {{ is_covered(days_later('months.last_date', -364), 'firsts.commits_from') }} as is_held
    from firsts
    inner join months on firsts.first_month <= months.month
),

authors as (
    select
        windows.repo,
        windows.month,
        person_days.person_key,
        sum(person_days.num_commits) as num_commits
    from windows
    inner join person_days
        on
            windows.repo = person_days.repo
            and person_days.happened_on between windows.first_date and windows.last_date
    group by windows.repo, windows.month, person_days.person_key
),

factors as (
    {{ absence_factors('authors', 'month') }}
)

select
    windows.repo,
    windows.month,
    {{ bigint('case when windows.is_held then factors.factor end') }} as factor,
    {{ bigint('case when windows.is_held then coalesce(factors.contributors, 0) end') }} as contributors,
    {{ bigint('case when windows.is_held then coalesce(factors.commits, 0) end') }} as commits
from windows
left join factors on windows.repo = factors.repo and windows.month = factors.month
