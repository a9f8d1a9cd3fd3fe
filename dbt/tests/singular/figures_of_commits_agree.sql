-- The same commits are counted per day, per person and per window. Where the history is cut, the all-time figures are null.
with people as (
    {%- for role in ('author', 'committer') %}
    select
        '{{ role }}' as role,
        repo,
        sum(num_commits) as num_commits,
        coalesce(sum(num_commits) filter (where not is_bot), 0) as num_commits_of_humans
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
