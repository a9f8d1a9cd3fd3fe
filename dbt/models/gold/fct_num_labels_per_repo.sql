with issues as (
    {{ counted_issues() }}
),

labels as (
    select
        issues.repo,
        labels.label,
        {{ unless_cut('count(distinct issues.number)', 'max(issues.issues_from)') }} as num_issues
    from issues
    cross join unnest(issues.labels) as labels (label)
    where labels.label <> ''
    group by issues.repo, labels.label
)

select
    repo,
    label,
    num_issues,
    case when num_issues is not null then dense_rank() over (partition by repo order by num_issues desc) end as rank
from labels
