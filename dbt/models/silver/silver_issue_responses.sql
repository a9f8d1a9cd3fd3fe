with issues as (
    select * from {{ ref('silver_issues') }}
),

answers as (
    select
        comments.repo_id,
        comments.issue_number,
        comments.person_key,
        comments.created_at
    from {{ ref('silver_issue_comments') }} as comments
    inner join {{ ref('silver_people') }} as people on comments.person_key = people.person_key
    where comments.is_counted and not people.is_bot
),

first_answers as (
    select
        issues.repo,
        issues.number,
        min(answers.created_at) as first_response_at
    from issues
    inner join answers on issues.repo_id = answers.repo_id and issues.number = answers.issue_number
    where issues.is_counted and issues.person_key is distinct from answers.person_key
    group by issues.repo, issues.number
)

select
    issues.repo,
    issues.number,
    issues.created_at,
    coalesce(people.is_bot, false) as is_by_bot,
    first_answers.first_response_at,
    not issues.is_imported and coalesce(first_answers.first_response_at >= issues.created_at, true) as is_judged,
    coalesce(issues.closed_at < issues.created_at, false) as is_closed_before_opened
from issues
left join first_answers on issues.repo = first_answers.repo and issues.number = first_answers.number
left join {{ ref('silver_people') }} as people on issues.person_key = people.person_key
where issues.is_counted and not issues.is_switched_off
