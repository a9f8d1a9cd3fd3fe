with issues as (
    {{ counted_issues() }}
),

counts as (
    select
        repo,
        {{ day_of('created_at') }} as date,
        max(issues_from) as issues_from,
        count(*) as num_opened
    from issues
    where {{ is_covered(day_of('created_at'), 'issues_from') }}
    group by repo, {{ day_of('created_at') }}
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
    case
        when {{ is_covered(days_later('days.date', -6), 'firsts.issues_from') }}
            then {{ bigint(
                'sum(coalesce(counts.num_opened, 0)) over ('
                'partition by firsts.repo order by days.date rows between 6 preceding and current row)'
            ) }}
    end as issues_last_7_days
from firsts
inner join {{ ref('silver_calendar_days') }} as days on firsts.first_date <= days.date
left join counts on firsts.repo = counts.repo and days.date = counts.date
