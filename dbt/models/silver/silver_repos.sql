with snapshots as (
    select * from {{ ref('silver_repo_snapshots') }}
),

births as (
    -- A date that does not change, so a later snapshot may say it of an earlier day.
    select
        repo,
        repo_id,
        min(created_at) as created_at
    from snapshots
    group by repo, repo_id
),

ranked as (
    select
        *,
        row_number() over (partition by repo order by snapshot_date desc) as recency
    from snapshots
    where snapshot_date <= {{ as_of() }}
)

select
    births.repo,
    births.repo_id,
    births.created_at,
    coalesce(ranked.recency = 1, false) as is_current,
    coalesce(ranked.is_archived, false) as is_archived,
    coalesce(ranked.is_disabled, false) as is_disabled,
    coalesce(ranked.has_issues, true) as has_issues
from births
left join ranked on births.repo = ranked.repo and births.repo_id = ranked.repo_id and ranked.recency = 1
