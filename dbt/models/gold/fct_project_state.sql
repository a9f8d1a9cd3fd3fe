with members as (
    select * from {{ ref('silver_figure_members') }}
    where scope_kind = 'project'
),

repos as (
    select
        members.scope as project,
        members.member as repo,
        repos.repo is not null as is_known,
        coalesce(repos.is_archived, false) as is_archived,
        coalesce(repos.is_disabled, false) as is_disabled,
        not coalesce(repos.has_issues, true) as has_issues_off
    from members
    left join {{ ref('silver_repos') }} as repos on members.member = repos.repo and repos.is_current
    where members.kind = 'repo'
),

repo_flags as (
    select
        project,
        bool_and(is_archived) as is_archived,
        bool_or(is_archived) as has_archived,
        bool_or(is_disabled) as has_disabled,
        bool_or(has_issues_off) as has_issues_off
    from repos
    -- One that nobody could find says nothing.
    where is_known
    group by project
),

package_states as (
    select
        members.scope as project,
        bool_or(coalesce(freshness.upstream_status = 'quarantined', false)) as is_quarantined,
        bool_or(coalesce(freshness.upstream_status = 'deprecated', false)) as is_deprecated,
        bool_or(coalesce(freshness.upstream_status = 'archived', false)) as is_archived
    from members
    inner join {{ ref('fct_data_freshness') }} as freshness on members.member = freshness.scope
    where members.kind = 'package' and freshness.source = 'pypi_releases'
    group by members.scope
),

lost_members as (
    select
        members.scope as project,
        bool_or(sources.gap like '%not found%') as has_lost
    from members
    inner join {{ ref('silver_member_sources') }} as sources
        on members.kind = sources.kind and members.member = sources.member
    group by members.scope
),

commits as (
    select
        scope as project,
        happened_on
    from {{ ref('silver_scope_commits') }}
    where scope_kind = 'project' and not is_bot
),

firsts as (
    select
        project,
        min(happened_on) as first_date
    from commits
    group by project
),

-- The 90 days that end with `as_of`, and the eight before them.
spans as (
    select
        number,
        {{ days_later(as_of(), '-90 * number - 89') }} as first_date,
        {{ days_later(as_of(), '-90 * number') }} as last_date
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8)) as listed (number)
),

counts as (
    select
        firsts.project,
        spans.number,
        spans.first_date >= firsts.first_date as is_lived,
        count(commits.happened_on) as num_commits
    from firsts
    cross join spans
    left join commits
        on firsts.project = commits.project and commits.happened_on between spans.first_date and spans.last_date
    group by firsts.project, spans.number, spans.first_date >= firsts.first_date
),

ranked as (
    select
        *,
        row_number() over (partition by project, number > 0 and is_lived order by num_commits) as position,
        count(*) over (partition by project, number > 0 and is_lived) as n
    from counts
),

paces as (
    select
        project,
        max(case when number = 0 then num_commits end) as commits_90d,
        count(*) filter (where number > 0 and is_lived) as num_spans,
        max(case
            when number > 0 and is_lived and 100 * position >= 50 * n and 100 * (position - 1) < 50 * n then num_commits
        end) as usual_commits
    from ranked
    group by project
),

figures as (
    select
        scope as project,
        max(case when figure = 'commits_28d' then value end) as commits_28d,
        max(case when figure = 'active_people_28d' then value end) as active_people_28d,
        max(case when figure = 'absence_factor_365d' then value end) as absence_factor_365d,
        max(case when figure = 'absence_factor_365d' then n end) as commits_365d,
        max(case when figure = 'commits_28d' then status end) as status
    from {{ ref('fct_figures') }}
    where scope_kind = 'project' and week = {{ week_of(as_of()) }}
    group by scope
),

-- The same week that every other trend compares with: the newest whose windows end at least 364 days earlier.
year_before as (
    select
        scope as project,
        value as commits_28d
    from {{ ref('fct_figures') }}
    where
        scope_kind = 'project'
        and figure = 'commits_28d'
        and week = {{ days_later(week_of(days_later(as_of(), -363)), -7) }}
),

last_commits as (
    select
        project,
        max(happened_on) as last_date
    from commits
    group by project
),

projects as (
    select distinct project from {{ ref('silver_listed_scopes') }}
),

states as (
    select
        projects.project,
        case
            when repo_flags.is_archived then 'archived'
            when coalesce(figures.status, 'none') in ('none', 'unknown') then null
            when coalesce(paces.commits_90d, 0) = 0 then 'quiet'
            when paces.num_spans >= 4 and 2 * paces.commits_90d < paces.usual_commits then 'slowing'
            else 'active'
        end as state,
        figures.commits_28d,
        figures.active_people_28d,
        year_before.commits_28d as commits_28d_before,
        last_commits.last_date,
        {%- set flags = [
            ('archived', 'coalesce(repo_flags.has_archived, false)'),
            ('deprecated', 'coalesce(package_states.is_deprecated, false)'),
            ('disabled', 'coalesce(repo_flags.has_disabled, false)'),
            ('issues_off', 'coalesce(repo_flags.has_issues_off, false)'),
            ('not_found', 'coalesce(lost_members.has_lost, false)'),
            ('one_person', 'coalesce(figures.absence_factor_365d = 1 and figures.commits_365d >= 10, false)'),
            ('package_archived', 'coalesce(package_states.is_archived, false)'),
            ('quarantined', 'coalesce(package_states.is_quarantined, false)'),
        ] %}
        trim(
            {%- for name, condition in flags %}
            case when {{ condition }} then '{{ name }} ' else '' end{{ ' ||' if not loop.last }}
            {%- endfor %}
        ) as flags
    from projects
    left join repo_flags on projects.project = repo_flags.project
    left join package_states on projects.project = package_states.project
    left join lost_members on projects.project = lost_members.project
    left join paces on projects.project = paces.project
    left join figures on projects.project = figures.project
    left join year_before on projects.project = year_before.project
    left join last_commits on projects.project = last_commits.project
)

select
    project,
    state,
    replace(flags, ' ', ', ') as flags,
    case
        when state is null then 'No known commits, so nothing shows whether it is alive.'
        when state = 'archived' then 'Archived: its repositories are read-only.'
        when state = 'quiet'
            then 'Quiet: no commit by a person in 90 days'
                || case
                    when last_date is null then '.'
                    else ', the last on ' || cast(last_date as varchar) || '.'
                end
        else
            case state when 'slowing' then 'Slowing: ' else 'Active: ' end
            || {{ thousands('active_people_28d') }}
            || case active_people_28d when 1 then ' person' else ' people' end
            || ' made '
            || {{ thousands('commits_28d') }}
            || case commits_28d when 1 then ' commit' else ' commits' end
            || ' in 28 days'
            || case
                when commits_28d_before > 0
                    then
                        ', '
                        || case
                            when round(100e0 * commits_28d / commits_28d_before) = 100 then 'as many as'
                            else
                                {{ thousands('abs(round(100e0 * commits_28d / commits_28d_before) - 100)') }} || ' % '
                                || case when commits_28d > commits_28d_before then 'more' else 'fewer' end || ' than'
                        end
                        || ' a year ago'
                else ''
            end
            || '.'
    end as sentence
from states
