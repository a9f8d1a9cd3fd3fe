with issues as (
    {{ counted_issues() }}
),

changes as (
    select
        repo,
        issues_from,
        {{ day_of('created_at') }} as date,
        1 as opened,
        0 as closed,
        case when is_closed_at_unknown_time then 0 else 1 end as opened_or_closed
    from issues

    union all

    select
        repo,
        issues_from,
        {{ day_of('closed_at') }} as date,
        0 as opened,
        1 as closed,
        0 as opened_or_closed
    from issues
    where closed_at is not null

    union all

    -- An issue ends to be open on its last date, also if a clock says that it was closed before it was opened.
    select
        repo,
        issues_from,
        {{ day_of('greatest(created_at, closed_at)') }} as date,
        0 as opened,
        0 as closed,
        -1 as opened_or_closed
    from issues
    where closed_at is not null
),

counts as (
    select
        repo,
        date,
        max(issues_from) as issues_from,
        sum(opened) as num_opened,
        sum(closed) as num_closed,
        sum(opened_or_closed) as num_more_open
    from changes
    where {{ is_covered('date', 'issues_from') }}
    group by repo, date
),

firsts as (
    select
        repo,
        max(issues_from) as issues_from,
        min(date) as first_date
    from counts
    group by repo
)

select
    firsts.repo,
    days.date,
    {{ bigint('coalesce(counts.num_opened, 0)') }} as num_opened,
    {{ bigint('coalesce(counts.num_closed, 0)') }} as num_closed,
    {{ bigint(unless_cut(
        'sum(coalesce(counts.num_more_open, 0)) over (partition by firsts.repo order by days.date)', 'firsts.issues_from'
    )) }} as num_open
from firsts
inner join {{ ref('silver_calendar_days') }} as days on firsts.first_date <= days.date
left join counts on firsts.repo = counts.repo and days.date = counts.date
