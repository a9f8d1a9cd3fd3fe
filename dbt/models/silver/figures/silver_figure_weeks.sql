-- The weeks that a scope's figures have rows for, and the last day of each one's windows.
with members as (
    select * from {{ ref('silver_figure_members') }}
),

events as (
    -- By its author's date, or else its committer's.
    select
        'repo' as kind,
        repo as member,
        min({{ day_of('seen_at') }}) as first_date
    from {{ ref('silver_commit_events') }}
    where role = 'author' and seen_at is not null
    group by repo

    union all
    {%- for model, condition in (
        ('silver_issues', 'is_counted and not is_switched_off'),
        ('silver_change_requests', 'is_counted'),
    ) %}
    select
        'repo' as kind,
        repo as member,
        min({{ day_of('created_at') }}) as first_date
    from {{ ref(model) }}
    where {{ condition }}
    group by repo

    union all
    {% endfor %}
    select
        case source when 'pypi' then 'package' else 'repo' end as kind,
        scope as member,
        min({{ day_of('released_at') }}) as first_date
    from {{ ref('silver_releases') }}
    group by source, scope

    union all

    select
        'package' as kind,
        package as member,
        min(date) as first_date
    from {{ ref('silver_downloads') }}
    where kind = 'overall'
    group by package
),

firsts as (
    select
        members.scope_kind,
        members.scope,
        {{ week_of('min(events.first_date)') }} as first_week
    from members
    inner join events on members.kind = events.kind and members.member = events.member
    group by members.scope_kind, members.scope
),

weeks as (
    select distinct week from {{ ref('silver_calendar_days') }}
)

select
    firsts.scope_kind,
    firsts.scope,
    weeks.week,
    least({{ days_later('weeks.week', 6) }}, {{ as_of() }}) as ends_on,
    -- The day that runs has no downloads yet.
    least({{ days_later('weeks.week', 6) }}, {{ days_later(as_of(), -1) }}) as downloads_end_on
from firsts
inner join weeks on firsts.first_week <= weeks.week
