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

people as (
    select
        person,
        is_bot
    from {{ ref('silver_people') }}
),

commits as (
    {{ covered_commits('events', 'coverage') }}
),

commits_per_person as (
    {{ commits_per_person('commits', 'people') }}
)

select
    repo,
    person as author,
    is_bot,
    num_commits,
    rank
from commits_per_person
