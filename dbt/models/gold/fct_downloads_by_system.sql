with downloads as (
    select
        package,
        date,
        {{ category_or_unknown('category') }} as system,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'system'
)

select
    package,
    date,
    system,
    downloads,
    {{ share('downloads', 'sum(downloads) over (partition by package, date)') }} as share
from downloads
