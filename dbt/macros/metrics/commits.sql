{# Commits that count of one role (author or committer), and of the history that is fully covered. #}
{% macro counted_commits(role) -%}
    select
        events.repo,
        events.person,
        events.happened_on,
        coverage.commits_from
    from {{ ref('silver_commit_events') }} as events
    left join {{ ref('silver_repo_coverage') }} as coverage on events.repo = coverage.repo
    where
        events.role = '{{ role }}'
        and events.is_counted
        and {{ is_covered('events.happened_on', 'coverage.commits_from') }}
{%- endmacro %}

{#
    Commits of the history that is fully covered. `events` is a relation with the silver_commit_events that count of one
    role, `coverage` one with silver_repo_coverage.
#}
{% macro covered_commits(events, coverage) -%}
    select
        {{ events }}.repo,
        {{ events }}.person,
        {{ events }}.happened_on,
        {{ coverage }}.commits_from
    from {{ events }}
    left join {{ coverage }} on {{ events }}.repo = {{ coverage }}.repo
    where {{ is_covered(events ~ '.happened_on', coverage ~ '.commits_from') }}
{%- endmacro %}

{# Commits per repo and date of `commits` (repo, happened_on), without gaps from the first one on. #}
{% macro commits_per_day(commits, days) -%}
    select
        firsts.repo,
        {{ days }}.date,
        coalesce(counts.num_commits, 0) as num_commits
    from (select repo, min(happened_on) as first_date from {{ commits }} group by repo) as firsts
    inner join {{ days }} on firsts.first_date <= {{ days }}.date
    left join (
        select repo, happened_on, count(*) as num_commits from {{ commits }} group by repo, happened_on
    ) as counts
        on firsts.repo = counts.repo and {{ days }}.date = counts.happened_on
{%- endmacro %}

{# Commits per repo and person of `commits` over all time, null where the history is cut, and the rank among people. #}
{% macro commits_per_person(commits, people) -%}
    select
        counts.repo,
        counts.person,
        {{ people }}.is_bot,
        counts.num_commits,
        case
            when not {{ people }}.is_bot and counts.num_commits is not null
                then dense_rank() over (partition by counts.repo, {{ people }}.is_bot order by counts.num_commits desc)
        end as rank
    from (
        select repo, person, {{ unless_cut('count(*)', 'max(commits_from)') }} as num_commits
        from {{ commits }}
        group by repo, person
    ) as counts
    inner join {{ people }} on counts.person = {{ people }}.person
{%- endmacro %}

{#
    The absence factor per repo and window of `authors` (repo, window, person, num_commits): the fewest people
    who made half of the window's commits, the most active first. `window_key` names the column of the window.
#}
{% macro absence_factors(authors, window_key) -%}
    select
        repo,
        {{ window_key }},
        min(case when 2 * commits_so_far >= commits_in_window then position end) as factor,
        count(*) as contributors,
        max(commits_in_window) as commits
    from (
        select
            repo,
            {{ window_key }},
            row_number() over by_commits as position,
            sum(num_commits) over (by_commits rows between unbounded preceding and current row) as commits_so_far,
            sum(num_commits) over (partition by repo, {{ window_key }}) as commits_in_window
        from {{ authors }}
        window by_commits as (partition by repo, {{ window_key }} order by num_commits desc, person asc)
    ) as ranked
    group by repo, {{ window_key }}
{%- endmacro %}
