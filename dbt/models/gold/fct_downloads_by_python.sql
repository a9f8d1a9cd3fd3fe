with downloads as (
    select
        package,
        date,
        {{ category_or_unknown('category') }} as python_minor,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'python_minor'
)

select
    package,
    date,
    python_minor,
    downloads,
    {{ share('downloads', 'sum(downloads) over (partition by package, date)') }} as share
from downloads
