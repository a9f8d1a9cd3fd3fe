with snapshots as (
    select * from {{ ref('silver_repo_snapshots') }}
)

select
    repo,
    snapshot_date,
    forks_count,
    size_kb,
    watchers_count,
    stargazers_count,
    subscribers_count,
    open_issues_count,
    network_count,
    created_at,
    pushed_at,
    updated_at
from snapshots
where snapshot_date <= {{ as_of() }}
