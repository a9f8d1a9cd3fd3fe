with downloads as (
    select
        package,
        date,
        coalesce({{ normal_version('lower(trim(category))') }}, {{ category_or_unknown('category') }}) as version,
        sum(downloads) as downloads
    from {{ ref('silver_downloads') }}
    where kind = 'version'
    group by package, date, coalesce({{ normal_version('lower(trim(category))') }}, {{ category_or_unknown('category') }})
)

select
    package,
    date,
    version,
    {{ bigint('downloads') }} as downloads,
    {{ share('downloads', 'sum(downloads) over (partition by package, date)') }} as share
from downloads
