-- The same commits are counted per day, per person and per window, and the same people are new. Where the history is cut, the
-- all-time figures are null, and nobody is known to be new.
with people as (
    {%- for role in ('author', 'committer') %}
    select
        '{{ role }}' as role,
        repo,
        sum(num_commits) as num_commits,
        coalesce(sum(num_commits) filter (where rank is not null), 0) as num_commits_of_humans
    from {{ ref('fct_num_' ~ role ~ '_commits_by_repo') }}
    group by repo
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

days as (
    {%- for role in ('author', 'committer') %}
    select
        '{{ role }}' as role,
        repo,
        sum(num_commits) as num_commits
    from {{ ref('fct_all_time_' ~ role ~ '_commits_trend') }}
    group by repo
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

newcomers as (
    select
        repo,
        {{ month_of('first_commit_date') }} as month,
        count(*) as num_authors
    from {{ ref('fct_first_commits') }}
    group by repo, {{ month_of('first_commit_date') }}
)

select
    'per day' as what,
    people.role,
    people.repo,
    people.num_commits,
    days.num_commits as expected
from people
full outer join days on people.role = days.role and people.repo = days.repo
where people.repo is null or (people.num_commits is not null and people.num_commits is distinct from days.num_commits)

union all

select
    'per window' as what,
    people.role,
    people.repo,
    windows.commits as num_commits,
    people.num_commits_of_humans as expected
from people
left join {{ ref('fct_contributor_absence_factor') }} as windows
    on people.repo = windows.repo and windows.window_days = 0
where
    people.role = 'author'
    and people.num_commits is not null
    and windows.commits is distinct from people.num_commits_of_humans

union all

select
    'new in a month' as what,
    'author' as role,
    coalesce(contributors.repo, newcomers.repo) as repo,
    newcomers.num_authors as num_commits,
    contributors."new" as expected
from {{ ref('fct_contributors') }} as contributors
full outer join newcomers on contributors.repo = newcomers.repo and contributors.month = newcomers.month
where coalesce(newcomers.num_authors, 0) <> coalesce(contributors."new", 0)
