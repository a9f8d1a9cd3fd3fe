with repos as (
    select name as repo
    from {{ ref('silver_listed_scopes') }}
    where kind = 'repo'
),

coverage as (
    select
        scope,
        source,
        covered_date,
        last_fetched_at
    from {{ ref('silver_coverage') }}
    where kind = 'repo'
)

select
    repos.repo,
    max(case when coverage.source = 'github_commits' then coverage.covered_date end) as commits_from,
    max(case when coverage.source = 'github_issues' then coverage.covered_date end) as issues_from,
    -- An issue without comments that were never fetched is not one without an answer.
    case
        when count(case when coverage.source = 'github_comments' then coverage.last_fetched_at end) = 0
            then {{ days_later(as_of(), 1) }}
        else max(case when coverage.source = 'github_comments' then coverage.covered_date end)
    end as comments_from,
    max(case when coverage.source = 'github_pulls' then coverage.covered_date end) as pulls_from
from repos
left join coverage on repos.repo = coverage.scope
group by repos.repo
