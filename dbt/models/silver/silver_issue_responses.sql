with issues as (
    select
        repo,
        repo_id,
        number,
        person
    from {{ ref('silver_issues') }}
    where is_counted
),

answers as (
    select
        comments.repo_id,
        comments.issue_number,
        comments.person,
        comments.created_at
    from {{ ref('silver_issue_comments') }} as comments
    inner join {{ ref('silver_people') }} as people on comments.person = people.person
    where comments.is_counted and not people.is_bot
)

select
    issues.repo,
    issues.number,
    min(answers.created_at) as first_response_at
from issues
inner join answers on issues.repo_id = answers.repo_id and issues.number = answers.issue_number
where issues.person is distinct from answers.person
group by issues.repo, issues.number
