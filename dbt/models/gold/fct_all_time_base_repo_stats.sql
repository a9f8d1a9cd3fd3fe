with snapshots as (
    {{ listed_rows(ref('bronze_repo_snapshots'), 'repo') }}
),

ranked as (
    select
        *,
        row_number() over (partition by listed_name, snapshot_date order by fetched_at desc, load_seq desc) as copy_number
    from snapshots
    where snapshot_date <= {{ as_of() }}
)

select
    listed_name as repo,
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
from ranked
where copy_number = 1
