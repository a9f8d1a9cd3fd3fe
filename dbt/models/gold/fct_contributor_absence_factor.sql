with events as (
    select * from {{ ref('silver_commit_events') }}
    where role = 'author' and is_counted
),

people as (
    select * from {{ ref('silver_people') }}
),

coverage as (
    select * from {{ ref('silver_repo_coverage') }}
),

commits as (
    {{ covered_commits('events', 'people', 'coverage') }}
),

windows as (
    select window_days from (values (30), (90), (365), (0)) as listed (window_days)
),

repos as (
    select
        coverage.repo,
        windows.window_days,
        -- Null unless the window reaches back before what we hold.
        case
            when coverage.commits_from is not null
                and (
                    windows.window_days = 0
                    or {{ days_later(as_of(), '1 - windows.window_days') }} < coverage.commits_from
                )
                then coverage.commits_from
        end as cut_from
    from {{ ref('silver_repo_coverage') }} as coverage
    -- Without commits there is a row that says so; a repo that was never had has none.
    inner join {{ ref('silver_coverage') }} as fetched
        on
            coverage.repo = fetched.scope
            and fetched.source = 'github_commits'
            and fetched.last_fetched_at is not null
    cross join windows
),

authors as (
    select
        repos.repo,
        repos.window_days,
        commits.person_key,
        count(*) as num_commits
    from repos
    inner join commits
        on
            repos.repo = commits.repo
            and (repos.window_days = 0 or commits.happened_on > {{ days_later(as_of(), '-repos.window_days') }})
    where commits.is_known and not commits.is_bot
    group by repos.repo, repos.window_days, commits.person_key
),

factors as (
    {{ absence_factors('authors', 'window_days') }}
)

select
    repos.repo,
    {{ bigint('repos.window_days') }} as window_days,
    {{ bigint(unless_cut('factors.factor', 'repos.cut_from')) }} as factor,
    {{ bigint(unless_cut('coalesce(factors.contributors, 0)', 'repos.cut_from')) }} as contributors,
    {{ bigint(unless_cut('coalesce(factors.commits, 0)', 'repos.cut_from')) }} as commits
from repos
left join factors on repos.repo = factors.repo and repos.window_days = factors.window_days
