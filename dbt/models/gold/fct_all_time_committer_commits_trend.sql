with events as (
    select * from {{ ref('silver_commit_events') }}
    where role = 'committer' and is_counted
),

people as (
    select * from {{ ref('silver_people') }}
),

coverage as (
    select * from {{ ref('silver_repo_coverage') }}
),

days as (
    select * from {{ ref('silver_calendar_days') }}
),

commits as (
    {{ covered_commits('events', 'people', 'coverage') }}
),

commits_per_day as (
    {{ commits_per_day('commits', 'days') }}
)

select
    repo,
    date as commit_committer_date,
    num_commits,
    num_commits_by_people
from commits_per_day
