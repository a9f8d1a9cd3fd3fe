with events as (
    select
        repo,
        person,
        happened_on
    from {{ ref('silver_commit_events') }}
    where role = 'author' and is_counted
),

coverage as (
    select
        repo,
        commits_from
    from {{ ref('silver_repo_coverage') }}
),

days as (
    select date from {{ ref('silver_calendar_days') }}
),

commits as (
    {{ covered_commits('events', 'coverage') }}
),

commits_per_day as (
    {{ commits_per_day('commits', 'days') }}
)

select
    repo,
    date as commit_author_date,
    num_commits
from commits_per_day
