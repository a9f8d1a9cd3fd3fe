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
)

select * from renamed
