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

commits as (
    {{ covered_commits('events', 'people', 'coverage') }}
),

commits_per_person as (
    {{ commits_per_person('commits') }}
)

select
    repo,
    person as committer,
    is_bot,
    num_commits,
    rank
from commits_per_person
