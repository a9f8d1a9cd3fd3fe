with source as (
    select * from {{ ref('known_breaks') }}
),

renamed as (
    select
        id,
        source,
        scope,
        from_date,
        to_date,
        what_changed,
        effect || ' ' || how_sure as effect,
        link
    from source
)

select * from renamed
