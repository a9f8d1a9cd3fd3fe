with releases as (
    select
        scope as package,
        name as version,
        released_at,
        {{ day_of('released_at') }} as released_on
    from {{ ref('silver_releases') }}
    where source = 'pypi' and not is_prerelease
),

downloads as (
    select
        package,
        date,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'overall' and category = 'without_mirrors'
),

windows as (
    select
        releases.package,
        releases.version,
        downloads.downloads,
        downloads.date < releases.released_on as is_before
    from releases
    inner join downloads
        on
            releases.package = downloads.package
            and downloads.date between {{ days_later('releases.released_on', -7) }}
            and {{ days_later('releases.released_on', 7) }}
            and releases.released_on <> downloads.date
),

sums as (
    select
        package,
        version,
        case
            when count(downloads) filter (where is_before) = 7 then sum(downloads) filter (where is_before)
        end as downloads_7d_before,
        case
            when count(downloads) filter (where not is_before) = 7 then sum(downloads) filter (where not is_before)
        end as downloads_7d_after
    from windows
    group by package, version
)

select
    releases.package,
    releases.version,
    releases.released_at,
    {{ bigint('sums.downloads_7d_before') }} as downloads_7d_before,
    {{ bigint('sums.downloads_7d_after') }} as downloads_7d_after,
    {{ percent_change('sums.downloads_7d_after', 'sums.downloads_7d_before') }} as uplift_percent
from releases
left join sums on releases.package = sums.package and releases.version = sums.version
