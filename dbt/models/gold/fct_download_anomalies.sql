with downloads as (
    select
        package,
        category,
        date,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'overall'
),

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
    inner join downloads as earlier
        on
            downloads.package = earlier.package
            and downloads.category = earlier.category
            and earlier.date between {{ days_later('downloads.date', -28) }} and {{ days_later('downloads.date', -1) }}
),

medians as (
    select
        package,
        category,
        date,
        {{ nearest_rank('downloads', 50) }} as median_28d
    from pairs
    group by package, category, date
),

deviations as (
    select
        pairs.package,
        pairs.category,
        pairs.date,
        pairs.n,
        medians.median_28d,
        abs(pairs.downloads - medians.median_28d) as deviation,
        row_number() over (
            partition by pairs.package, pairs.category, pairs.date order by abs(pairs.downloads - medians.median_28d)
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
        max(n) as days_28d,
        cast(max(median_28d) as double) as median_28d,
        cast({{ nearest_rank('deviation', 50) }} as double) as mad_28d
    from deviations
    group by package, category, date
),

scores as (
    select
        downloads.package,
        downloads.category,
        downloads.date,
        downloads.downloads,
        spreads.median_28d,
        spreads.mad_28d,
        case
            when spreads.days_28d >= 21
                then (downloads.downloads - spreads.median_28d) / (1.4826e0 * nullif(spreads.mad_28d, 0))
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
    inner join {{ ref('fct_known_breaks') }} as breaks
        on
            breaks.source in ('pypistats', 'pypistats_overall')
            and (breaks.scope is null or scores.package = breaks.scope)
            and scores.date between breaks.from_date and coalesce(breaks.to_date, breaks.from_date)
)

select
    scores.package,
    scores.category,
    scores.date,
    scores.downloads,
    scores.median_28d,
    scores.mad_28d,
    scores.robust_z,
    coalesce(abs(scores.robust_z) > 3.5, false) and broken_days.date is null as is_anomaly
from scores
left join broken_days on scores.package = broken_days.package and scores.date = broken_days.date
