with issues as (
    {{ counted_issues() }}
),

changes as (
    select
        repo,
        issues_from,
        {{ week_of('created_at') }} as week,
        1 as opened,
        0 as closed
    from issues

    union all

    select
        repo,
        issues_from,
        {{ week_of('closed_at') }} as week,
        0 as opened,
        1 as closed
    from issues
    where closed_at is not null
),

counts as (
    select
        repo,
        week,
        max(issues_from) as issues_from,
        sum(opened) as opened,
        sum(closed) as closed
    from changes
    where {{ is_covered('week', 'issues_from') }}
    group by repo, week
),

firsts as (
    select
        repo,
        max(issues_from) as issues_from,
        min(week) as first_week
    from counts
    group by repo
),

weeks as (
    -- The end of the week's last day, or of `as_of` while the week runs.
    select distinct
        week,
        cast(least({{ days_later('week', 7) }}, {{ days_later(as_of(), 1) }}) as timestamp) as ends_at
    from {{ ref('silver_calendar_days') }}
),

spine as (
    select
        firsts.repo,
        firsts.issues_from,
        weeks.week,
        weeks.ends_at,
        coalesce(counts.opened, 0) as opened,
        coalesce(counts.closed, 0) as closed
    from firsts
    inner join weeks on firsts.first_week <= weeks.week
    left join counts on firsts.repo = counts.repo and weeks.week = counts.week
),

windows as (
    select
        repo,
        week,
        issues_from,
        {{ bigint('sum(opened) over last_8_weeks') }} as opened_8w,
        {{ bigint('sum(closed) over last_8_weeks') }} as closed_8w
    from spine
    window last_8_weeks as (partition by repo order by week rows between 7 preceding and current row)
),

whole_windows as (
    select
        repo,
        week,
        opened_8w,
        closed_8w
    from windows
    where {{ is_covered(days_later('week', -49), 'issues_from') }}
),

open_issues as (
    select
        spine.repo,
        spine.week,
        {{ seconds_between('issues.created_at', 'spine.ends_at') }} / 86400 as age_days
    from spine
    inner join issues
        on
            spine.repo = issues.repo
            and spine.ends_at > issues.created_at
            and (issues.closed_at is null or spine.ends_at <= issues.closed_at)
    where spine.issues_from is null and not issues.is_closed_at_unknown_time
),

ranked as (
    select
        repo,
        week,
        age_days,
        row_number() over (partition by repo, week order by age_days) as position,
        count(*) over (partition by repo, week) as n
    from open_issues
),

at_end as (
    select
        repo,
        week,
        count(*) as open_at_end,
        {{ nearest_rank('age_days', 50) }} as median_age_days
    from ranked
    group by repo, week
)

select
    spine.repo,
    spine.week,
    whole_windows.opened_8w,
    whole_windows.closed_8w,
    {{ share('whole_windows.closed_8w', 'whole_windows.opened_8w') }} as backlog_index,
    {{ unless_cut('coalesce(at_end.open_at_end, 0)', 'spine.issues_from') }} as open_at_end,
    at_end.median_age_days
from spine
left join whole_windows on spine.repo = whole_windows.repo and spine.week = whole_windows.week
left join at_end on spine.repo = at_end.repo and spine.week = at_end.week
