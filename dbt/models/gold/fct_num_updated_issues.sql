with issues as (
    {{ counted_issues() }}
),

ages as (
    select
        repo,
        issues_from,
        {{ bigint('floor(' ~ seconds_between('created_at', 'updated_at') ~ ' / 86400)') }} as num_days
    from issues
    where updated_at >= created_at and updated_at < {{ as_of_end() }}
)

select
    repo,
    num_days,
    {{ unless_cut('count(*)', 'max(issues_from)') }} as num_issues
from ages
group by repo, num_days
