with source as (
    {{ listed_rows(ref('bronze_downloads'), 'package') }}
),

renamed as (
    select
        listed_name as package,
        kind,
        category,
        date,
        downloads
    from source
    where date <= {{ as_of() }}
),

-- The day was counted, and nobody but mirrors came.
mirrors_alone as (
    select
        package,
        date
    from renamed
    where kind = 'overall' and category in ('with_mirrors', 'without_mirrors')
    group by package, date
    having max(category) = 'with_mirrors'
)

select * from renamed

union all

select
    package,
    'overall' as kind,
    'without_mirrors' as category,
    date,
    0 as downloads
from mirrors_alone
