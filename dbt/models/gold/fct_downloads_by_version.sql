with downloads as (
    select
        package,
        date,
        {{ category_or_unknown('category') }} as version,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'version'
)

select
    package,
    date,
    version,
    downloads,
    {{ share('downloads', 'sum(downloads) over (partition by package, date)') }} as share
from downloads
