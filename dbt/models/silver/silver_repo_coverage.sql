with repos as (
    select name as repo
    from {{ ref('silver_listed_scopes') }}
    where kind = 'repo'
),

coverage as (
    select
        scope,
        source,
        covered_date
    from {{ ref('silver_coverage') }}
    where kind = 'repo'
)

select
    repos.repo,
    max(case when coverage.source = 'github_commits' then coverage.covered_date end) as commits_from,
    max(case when coverage.source = 'github_issues' then coverage.covered_date end) as issues_from,
    max(case when coverage.source = 'github_comments' then coverage.covered_date end) as comments_from,
    max(case when coverage.source = 'github_pulls' then coverage.covered_date end) as pulls_from
from repos
left join coverage on repos.repo = coverage.scope
group by repos.repo
