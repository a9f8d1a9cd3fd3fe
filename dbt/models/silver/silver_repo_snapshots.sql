with source as (
    {{ listed_rows(ref('bronze_repo_snapshots'), 'repo') }}
),

ranked as (
    select
        *,
        -- The day's last visit counts.
        row_number() over (partition by listed_name, snapshot_date order by fetched_at desc, load_seq desc) as copy_number
    from source
)

select
    listed_name as repo,
    snapshot_date,
    repo_id,
    forks_count,
    size_kb,
    watchers_count,
    stargazers_count,
    subscribers_count,
    open_issues_count,
    network_count,
    {{ possible('created_at') }} as created_at,
    pushed_at,
    updated_at,
    coalesce(is_archived, false) as is_archived,
    coalesce(is_disabled, false) as is_disabled,
    coalesce(has_issues, true) as has_issues
from ranked
where copy_number = 1
