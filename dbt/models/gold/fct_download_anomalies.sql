with downloads as (
    select
        package,
        category,
        date,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'overall'
),

known_breaks as (
    select * from {{ ref('fct_known_breaks') }}
),

weeks_back as (
    select number from (values (1), (2), (3), (4), (5), (6), (7), (8)) as listed (number)
),

-- A weekend is compared with weekends.
pairs as (
    select
        downloads.package,
        downloads.category,
        downloads.date,
        earlier.downloads,
        row_number() over (
            partition by downloads.package, downloads.category, downloads.date order by earlier.downloads
        ) as position,
        count(*) over (partition by downloads.package, downloads.category, downloads.date) as n
    from downloads
    cross join weeks_back
    inner join downloads as earlier
        on
            downloads.package = earlier.package
            and downloads.category = earlier.category
            and earlier.date = {{ days_later('downloads.date', '-7 * weeks_back.number') }}
),

medians as (
    select
        package,
        category,
        date,
        {{ nearest_rank('downloads', 50) }} as expected
    from pairs
    group by package, category, date
),

deviations as (
    select
        pairs.package,
        pairs.category,
        pairs.date,
        pairs.n,
        medians.expected,
        abs(pairs.downloads - medians.expected) as deviation,
        row_number() over (
            partition by pairs.package, pairs.category, pairs.date order by abs(pairs.downloads - medians.expected)
        ) as position
    from pairs
    inner join medians
        on
            pairs.package = medians.package
            and pairs.category = medians.category
            and pairs.date = medians.date
),

spreads as (
    select
        package,
        category,
        date,
        max(n) as num_days,
        cast(max(expected) as double) as expected,
        cast({{ nearest_rank('deviation', 50) }} as double) as spread
    from deviations
    group by package, category, date
),

scores as (
    select
        downloads.package,
        downloads.category,
        downloads.date,
        downloads.downloads,
        spreads.expected,
        spreads.spread,
        case
            when spreads.num_days >= 5
                then (downloads.downloads - spreads.expected) / (1.4826e0 * nullif(spreads.spread, 0))
        end as robust_z
    from downloads
    left join spreads
        on
            downloads.package = spreads.package
            and downloads.category = spreads.category
            and downloads.date = spreads.date
),

broken_days as (
    select distinct
        scores.package,
        scores.date
    from scores
    inner join known_breaks
        on
            known_breaks.source in ('pypistats', 'pypistats_overall')
            and (coalesce(known_breaks.scope, '') = '' or scores.package = known_breaks.scope)
            and scores.date >= known_breaks.from_date
            and {{ days_later('scores.date', -56) }} <= coalesce(known_breaks.to_date, known_breaks.from_date)
)

select
    scores.package,
    scores.category,
    scores.date,
    scores.downloads,
    scores.expected,
    scores.spread,
    scores.robust_z,
    coalesce(
        abs(scores.robust_z) > 3.5 and abs(scores.downloads - scores.expected) >= 0.25e0 * scores.expected, false
    ) and broken_days.date is null as is_anomaly
from scores
left join broken_days on scores.package = broken_days.package and scores.date = broken_days.date
