with issues as (
    select
        issues.*,
        coverage.comments_from
    from {{ ref('silver_issues') }} as issues
    left join {{ ref('silver_repo_coverage') }} as coverage on issues.repo = coverage.repo
    where issues.is_counted and issues.closed_at is null
)

select
    issues.repo,
    issues.number,
    issues.title,
    issues.person as author,
    issues.created_at,
    {{ seconds_between('issues.created_at', as_of_end()) }} / 86400 as age_days,
    issues.comments_count as comments,
    issues.html_url as url
from issues
left join {{ ref('silver_issue_responses') }} as responses
    on issues.repo = responses.repo and issues.number = responses.number
where
    responses.number is null
    -- Of an older issue the answer may lie in the comments that are not fetched yet.
    and ({{ is_covered(day_of('issues.created_at'), 'issues.comments_from') }} or issues.comments_count = 0)
