with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

repos as (
    select
        members.scope_kind,
        members.scope,
        members.member as repo,
        coalesce(repos.has_issues, true) as has_issues,
        coverage.issues_from is null as is_whole
    from {{ ref('silver_figure_members') }} as members
    left join {{ ref('silver_repos') }} as repos on members.member = repos.repo and repos.is_current
    left join {{ ref('silver_repo_coverage') }} as coverage on members.member = coverage.repo
    where members.kind = 'repo'
),

issues as (
    select
        repos.scope_kind,
        repos.scope,
        repos.is_whole,
        issues.created_at,
        {{ day_of('issues.created_at') }} as opened_on,
        {{ day_of('issues.closed_at') }} as closed_on,
        issues.is_closed_at_unknown_time,
        coalesce(issues.state_reason not in ('not_planned', 'duplicate'), true) as is_solved,
        responses.is_by_bot,
        responses.is_judged,
        responses.first_response_at
    from {{ ref('silver_issues') }} as issues
    inner join repos on issues.repo = repos.repo and repos.has_issues
    inner join {{ ref('silver_issue_responses') }} as responses
        on issues.repo = responses.repo and issues.number = responses.number
    where issues.is_counted
),

-- What changes the number of open issues, by week. A clock may say that an issue was closed before it was opened.
changes as (
    select
        scope_kind,
        scope,
        {{ week_of('opened_on') }} as week,
        1 as opened
    from issues
    where is_whole and not is_closed_at_unknown_time

    union all

    select
        scope_kind,
        scope,
        {{ week_of('greatest(opened_on, closed_on)') }} as week,
        -1 as opened
    from issues
    where is_whole and closed_on is not null
),

changes_by_week as (
    select
        scope_kind,
        scope,
        week,
        sum(opened) as more_open
    from changes
    group by scope_kind, scope, week
),

open_at_end as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        sum(coalesce(changes_by_week.more_open, 0)) over (
            partition by weeks.scope_kind, weeks.scope order by weeks.week
        ) as open_issues
    from weeks
    left join changes_by_week
        on
            weeks.scope_kind = changes_by_week.scope_kind
            and weeks.scope = changes_by_week.scope
            and weeks.week = changes_by_week.week
),

flows as (
    select
        scope_kind,
        scope,
        opened_on as date,
        1 as opened,
        0 as solved
    from issues

    union all

    select
        scope_kind,
        scope,
        closed_on as date,
        0 as opened,
        1 as solved
    from issues
    where closed_on is not null and is_solved
),

flows_by_day as (
    select
        scope_kind,
        scope,
        date,
        sum(opened) as opened,
        sum(solved) as solved
    from flows
    group by scope_kind, scope, date
),

closings as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        sum(flows_by_day.opened) as opened,
        sum(flows_by_day.solved) as solved
    from weeks
    inner join flows_by_day
        on
            weeks.scope_kind = flows_by_day.scope_kind
            and weeks.scope = flows_by_day.scope
            and flows_by_day.date between {{ days_later('weeks.ends_on', -83) }} and weeks.ends_on
    group by weeks.scope_kind, weeks.scope, weeks.week
),

-- The window ends 7 days early, so that each of its issues had 7 days for an answer.
awaited as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        case
            when {{ day_of('issues.first_response_at') }} <= weeks.ends_on
                then {{ seconds_between('issues.created_at', 'issues.first_response_at') }} / 3600
        end as hours
    from weeks
    inner join issues
        on
            weeks.scope_kind = issues.scope_kind
            and weeks.scope = issues.scope
            and issues.opened_on between {{ days_later('weeks.ends_on', -90) }} and {{ days_later('weeks.ends_on', -7) }}
    where issues.is_judged and not issues.is_by_bot
),

ranked as (
    select
        *,
        row_number() over (partition by scope_kind, scope, week order by hours nulls last) as position,
        count(*) over (partition by scope_kind, scope, week) as n
    from awaited
),

answers as (
    select
        scope_kind,
        scope,
        week,
        max(n) as n,
        count(*) filter (where hours <= 168) as answered_7d,
        count(hours) as answered,
        {{ nearest_rank('hours', 50) }} as median_hours
    from ranked
    group by scope_kind, scope, week
),

switched_off as (
    select
        scope_kind,
        scope
    from repos
    group by scope_kind, scope
    having bool_and(not has_issues)
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    weeks.ends_on,
    open_at_end.open_issues,
    open_at_end.open_issues as open_issues_n,
    {{ share('answers.answered_7d', 'answers.n') }} as answered_7d_share_12w,
    coalesce(answers.n, 0) as answered_7d_share_12w_n,
    -- Half or more without an answer: the median is longer than anybody has waited.
    case when 2 * answers.answered > answers.n then answers.median_hours end as first_response_median_hours_12w,
    coalesce(answers.n, 0) as first_response_median_hours_12w_n,
    case
        when switched_off.scope is not null then 'none'
        when 2 * answers.answered <= answers.n then 'known'
    end as first_response_median_hours_12w_status,
    case
        when switched_off.scope is not null then 'issues are switched off'
        when 2 * answers.answered <= answers.n
            then
                'no answer to ' || cast(answers.n - answers.answered as varchar)
                || ' of ' || cast(answers.n as varchar) || ' issues'
    end as first_response_median_hours_12w_reason,
    {{ share('closings.solved', 'closings.opened') }} as closed_per_opened_12w,
    coalesce(closings.opened, 0) as closed_per_opened_12w_n,
    {%- for figure in ('open_issues', 'answered_7d_share_12w', 'closed_per_opened_12w') %}
    case when switched_off.scope is not null then 'none' end as {{ figure }}_status,
    case when switched_off.scope is not null then 'issues are switched off' end as {{ figure }}_reason,
    {%- endfor %}
    switched_off.scope is not null as is_switched_off
from weeks
left join open_at_end
    on weeks.scope_kind = open_at_end.scope_kind and weeks.scope = open_at_end.scope and weeks.week = open_at_end.week
left join closings
    on weeks.scope_kind = closings.scope_kind and weeks.scope = closings.scope and weeks.week = closings.week
left join answers
    on weeks.scope_kind = answers.scope_kind and weeks.scope = answers.scope and weeks.week = answers.week
left join switched_off on weeks.scope_kind = switched_off.scope_kind and weeks.scope = switched_off.scope
where weeks.scope_kind in ('repo', 'project')
