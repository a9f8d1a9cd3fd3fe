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
)

select
    commits.repo,
    commits.person as author,
    min(commits.happened_on) as first_commit_date
from commits
-- Of a history that is cut, no commit is known to be anybody's first.
where commits.is_known and not commits.is_bot and commits.commits_from is null
group by commits.repo, commits.person
