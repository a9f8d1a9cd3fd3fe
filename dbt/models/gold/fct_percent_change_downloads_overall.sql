with downloads as (
    select
        package,
        category,
        date,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'overall'
),

sums as (
    select
        package,
        category,
        date,
        downloads,
        sum(downloads) over (
            partition by package, category order by date
            range between interval '1' day preceding and interval '1' day preceding
        ) as downloads_before,
        sum(downloads) over last_7_days as sum_7d,
        count(downloads) over last_7_days as days_7d,
        sum(downloads) over the_7_before as sum_7d_before,
        count(downloads) over the_7_before as days_7d_before
    from downloads
    window
        last_7_days as (
            partition by package, category order by date range between interval '6' day preceding and current row
        ),
        the_7_before as (
            partition by package, category order by date
            range between interval '13' day preceding and interval '7' day preceding
        )
),

whole as (
    select
        package,
        category,
        date,
        downloads,
        downloads_before,
        case when days_7d = 7 then sum_7d end as downloads_7d,
        case when days_7d_before = 7 then sum_7d_before end as downloads_7d_before
    from sums
)

select
    package,
    category,
    date,
    downloads,
    {{ percent_change('downloads', 'downloads_before') }} as percent_change_1d,
    {{ bigint('downloads_7d') }} as downloads_7d,
    {{ percent_change('downloads_7d', 'downloads_7d_before') }} as percent_change_7d
from whole
