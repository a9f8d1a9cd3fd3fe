{# Commits that count of one role (author or committer), and of the history that is wholly covered. #}
{% macro counted_commits(role) -%}
    select
        events.repo,
        events.person_key,
        events.happened_on,
        coverage.commits_from
    from {{ ref('silver_commit_events') }} as events
    left join {{ ref('silver_repo_coverage') }} as coverage on events.repo = coverage.repo
    where
        events.role = '{{ role }}'
        and events.is_counted
        and {{ is_covered('events.happened_on', 'coverage.commits_from') }}
{%- endmacro %}

{# Commits per repo and day by one role's date, without holes from the first one on. #}
{% macro commits_trend(role) -%}
    with commits as (
        {{ counted_commits(role) }}
    ),

    counts as (
        select
            repo,
            happened_on,
            count(*) as num_commits
        from commits
        group by repo, happened_on
    ),

    firsts as (
        select
            repo,
            min(happened_on) as first_date
        from counts
        group by repo
    )

    select
        firsts.repo,
        days.date as commit_{{ role }}_date,
        coalesce(counts.num_commits, 0) as num_commits
    from firsts
    inner join {{ ref('silver_calendar_days') }} as days on firsts.first_date <= days.date
    left join counts on firsts.repo = counts.repo and days.date = counts.happened_on
{%- endmacro %}

{# All-time commits per repo and person in one role; null where the history is cut. #}
{% macro commits_by_person(role) -%}
    with commits as (
        {{ counted_commits(role) }}
    ),

    counts as (
        select
            repo,
            person_key,
            {{ unless_cut('count(*)', 'max(commits_from)') }} as num_commits
        from commits
        group by repo, person_key
    )

    select
        counts.repo,
        people.person as {{ role }},
        people.is_bot,
        counts.num_commits,
        case
            when not people.is_bot and people.is_known and counts.num_commits is not null
                then dense_rank() over (
                    partition by counts.repo, people.is_bot, people.is_known order by counts.num_commits desc
                )
        end as rank
    from counts
    inner join {{ ref('silver_people') }} as people on counts.person_key = people.person_key
{%- endmacro %}

{#
    The absence factor per repo and window of `authors` (repo, window, person_key, num_commits): the fewest people
    who made half of the window's commits, the most active first. The caller names what tells windows apart.
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
        window by_commits as (partition by repo, {{ window_key }} order by num_commits desc, person_key asc)
    ) as ranked
    group by repo, {{ window_key }}
{%- endmacro %}
