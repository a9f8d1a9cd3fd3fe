with issues as (
    select * from {{ ref('silver_issues') }}
),

responses as (
    select * from {{ ref('silver_issue_responses') }}
),

people as (
    select * from {{ ref('silver_people') }}
),

coverage as (
    select * from {{ ref('silver_repo_coverage') }}
)

select
    issues.repo,
    issues.number,
    issues.title,
    people.person as author,
    issues.created_at,
    {{ seconds_between('issues.created_at', as_of_end()) }} / 86400 as age_days,
    issues.comments_count as comments,
    issues.html_url as url
from issues
inner join responses on issues.repo = responses.repo and issues.number = responses.number
left join people on issues.person_key = people.person_key
left join coverage on issues.repo = coverage.repo
where
    issues.is_counted
    and issues.closed_at is null
    and not issues.is_closed_at_unknown_time
    and responses.is_judged
    and responses.first_response_at is null
    -- Of an older issue the answer may be in the comments that are not fetched yet.
    and ({{ is_covered(day_of('issues.created_at'), 'coverage.comments_from') }} or issues.comments_count = 0)
