with commits as (
    {{ counted_commits('author') }}
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
    cross join windows
    where coverage.repo in (select commits.repo from commits)
),

authors as (
    select
        repos.repo,
        repos.window_days,
        commits.person,
        count(*) as num_commits
    from repos
    inner join commits
        on
            repos.repo = commits.repo
            and (repos.window_days = 0 or commits.happened_on > {{ days_later(as_of(), '-repos.window_days') }})
    inner join {{ ref('silver_people') }} as people on commits.person = people.person
    where not people.is_bot
    group by repos.repo, repos.window_days, commits.person
),

ranked as (
    select
        repo,
        window_days,
        num_commits,
        row_number() over by_commits as position,
        sum(num_commits) over (by_commits rows between unbounded preceding and current row) as commits_so_far,
        sum(num_commits) over (partition by repo, window_days) as commits_in_window
    from authors
    window by_commits as (partition by repo, window_days order by num_commits desc, person asc)
),

factors as (
    select
        repo,
        window_days,
        min(case when 2 * commits_so_far >= commits_in_window then position end) as factor,
        count(*) as contributors,
        max(commits_in_window) as commits
    from ranked
    group by repo, window_days
)

select
    repos.repo,
    {{ bigint('repos.window_days') }} as window_days,
    {{ bigint(unless_cut('factors.factor', 'repos.cut_from')) }} as factor,
    {{ bigint(unless_cut('coalesce(factors.contributors, 0)', 'repos.cut_from')) }} as contributors,
    {{ bigint(unless_cut('coalesce(factors.commits, 0)', 'repos.cut_from')) }} as commits
from repos
left join factors on repos.repo = factors.repo and repos.window_days = factors.window_days
