with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

births as (
    select
        scope as package,
        {{ day_of('min(released_at)') }} as born_on
    from {{ ref('silver_releases') }}
    where source = 'pypi'
    group by scope
),

fetched as (
    select distinct package
    from {{ ref('silver_downloads') }}
    where kind = 'overall'
),

packages as (
    select
        members.scope_kind,
        members.scope,
        members.member as package,
        births.born_on,
        sources.known_until
    from {{ ref('silver_figure_members') }} as members
    -- One of which nothing was ever fetched takes part in no day; the figure says that it is missing.
    inner join fetched on members.member = fetched.package
    left join births on members.member = births.package
    inner join {{ ref('silver_member_sources') }} as sources
        on members.member = sources.member and sources.kind = 'package' and sources.source = 'pypistats_overall'
    where members.kind = 'package'
),

package_counts as (
    select
        scope_kind,
        scope,
        count(*) as num_packages,
        -- Before the first of them was released, nobody could download any.
        case when count(*) = count(born_on) then min(born_on) end as born_on
    from packages
    group by scope_kind, scope
),

held as (
    select
        packages.scope_kind,
        packages.scope,
        packages.package,
        downloads.date,
        downloads.downloads
    from packages
    inner join {{ ref('silver_downloads') }} as downloads on packages.package = downloads.package
    where downloads.kind = 'overall' and downloads.category = 'without_mirrors'
),

dates as (
    select distinct
        scope_kind,
        scope,
        date
    from held
),

-- A day counts when each package has it, was not released yet, or was gone when the day could have been fetched.
days as (
    select
        dates.scope_kind,
        dates.scope,
        dates.date,
        sum(coalesce(held.downloads, 0)) as downloads
    from dates
    inner join packages on dates.scope_kind = packages.scope_kind and dates.scope = packages.scope
    left join held
        on
            dates.scope_kind = held.scope_kind
            and dates.scope = held.scope
            and dates.date = held.date
            and packages.package = held.package
    group by dates.scope_kind, dates.scope, dates.date
    having count(*) = count(*) filter (
            where held.package is not null or dates.date < packages.born_on or dates.date >= packages.known_until
        )
),

windows as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        spans.name as span,
        {{ days_later('weeks.downloads_end_on', 'spans.days_back - 27') }} as first_date,
        {{ days_later('weeks.downloads_end_on', 'spans.days_back') }} as last_date
    from weeks
    cross join (values ('now', 0), ('year_before', -364)) as spans (name, days_back)
    where weeks.scope_kind in ('package', 'project')
),

sums as (
    select
        windows.scope_kind,
        windows.scope,
        windows.week,
        windows.span,
        windows.first_date,
        windows.last_date,
        max(package_counts.born_on) as born_on,
        sum(days.downloads) as downloads,
        count(days.date) as num_days,
        count(days.date) filter (where days.date < package_counts.born_on) as num_days_before_birth
    from windows
    left join package_counts on windows.scope_kind = package_counts.scope_kind and windows.scope = package_counts.scope
    left join days
        on
            windows.scope_kind = days.scope_kind
            and windows.scope = days.scope
            and days.date between windows.first_date and windows.last_date
    group by windows.scope_kind, windows.scope, windows.week, windows.span, windows.first_date, windows.last_date
),

counted as (
    select
        *,
        case
            when born_on is null then num_days
            else num_days - num_days_before_birth + greatest(0, least(28, {{ days_between('first_date', 'born_on') }}))
        end as days_there
    from sums
),

means as (
    select
        scope_kind,
        scope,
        week,
        max(case when span = 'now' and days_there >= 21 then {{ share('coalesce(downloads, 0)', 'days_there') }} end) as per_day,
        max(case when span = 'now' then days_there end) as days_there,
        max(case
            when span = 'year_before' and days_there >= 21 then {{ share('coalesce(downloads, 0)', 'days_there') }}
        end) as per_day_before,
        max(case when span = 'year_before' then days_there end) as days_there_before,
        max(case when span = 'now' then last_date end) as last_date,
        max(case when span = 'year_before' then first_date end) as first_date
    from counted
    group by scope_kind, scope, week
),

known_breaks as (
    select distinct
        scope,
        from_date,
        coalesce(to_date, from_date) as to_date,
        'known break on ' || cast(from_date as varchar) || ': ' || what_changed as reason
    from {{ ref('known_breaks') }}
    where source in ('pypistats', 'pypistats_overall')
),

breaks as (
    select
        means.scope_kind,
        means.scope,
        means.week,
        {{ joined('known_breaks.reason', ' ') }} as reason
    from means
    inner join known_breaks on means.first_date < known_breaks.to_date and means.last_date >= known_breaks.from_date
    left join packages
        on means.scope_kind = packages.scope_kind and means.scope = packages.scope and known_breaks.scope = packages.package
    where coalesce(known_breaks.scope, '') = '' or packages.package is not null
    group by means.scope_kind, means.scope, means.week
),

packageless as (
    select
        scope_kind,
        scope
    from {{ ref('silver_figure_members') }}
    group by scope_kind, scope
    having count(*) filter (where kind = 'package') = 0
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    -- A run fetches the days before its own.
    {{ days_later('weeks.downloads_end_on', 1) }} as ends_on,
    means.per_day as downloads_per_day_28d,
    coalesce(means.days_there, 0) as downloads_per_day_28d_n,
    case
        when packageless.scope is not null then 'none'
        when means.days_there between 21 and 27 then 'partial'
    end as downloads_per_day_28d_status,
    case
        when packageless.scope is not null then 'no package'
        when coalesce(means.days_there, 0) < 28
            then cast(coalesce(means.days_there, 0) as varchar) || ' of 28 days'
    end as downloads_per_day_28d_reason,
    case
        when means.per_day_before is not null then {{ percent_change('means.per_day', 'means.per_day_before') }}
    end as downloads_change_year,
    coalesce(means.days_there, 0) as downloads_change_year_n,
    case
        when packageless.scope is not null then 'none'
        when
            breaks.reason is not null
            or means.days_there between 21 and 27
            or means.days_there_before between 21 and 27
            then 'partial'
    end as downloads_change_year_status,
    case
        when packageless.scope is not null then 'no package'
        when coalesce(means.days_there, 0) < 21 then cast(coalesce(means.days_there, 0) as varchar) || ' of 28 days'
        when coalesce(means.days_there_before, 0) < 21
            then cast(coalesce(means.days_there_before, 0) as varchar) || ' of 28 days a year before'
        when means.per_day_before = 0 then 'no downloads a year before'
        else
            nullif(
                concat_ws(
                    '; ',
                    case when means.days_there < 28 then cast(means.days_there as varchar) || ' of 28 days' end,
                    case
                        when means.days_there_before < 28
                            then cast(means.days_there_before as varchar) || ' of 28 days a year before'
                    end,
                    breaks.reason
                ),
                ''
            )
    end as downloads_change_year_reason
from weeks
left join means
    on weeks.scope_kind = means.scope_kind and weeks.scope = means.scope and weeks.week = means.week
left join breaks
    on weeks.scope_kind = breaks.scope_kind and weeks.scope = breaks.scope and weeks.week = breaks.week
left join packageless on weeks.scope_kind = packageless.scope_kind and weeks.scope = packageless.scope
where weeks.scope_kind in ('package', 'project')
