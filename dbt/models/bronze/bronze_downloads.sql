{{ config(unique_key=['package', 'kind', 'category', 'date']) }}

with source as (
    select
        package,
        kind,
        category,
        date,
        downloads,
        landing_id,
        load_seq,
        fetched_at,
        loaded_at
    from {{ raw_rows('downloads') }}
    {{ new_rows() }}
),

renamed as (
    select
        package,
        kind,
        category,
        date,
        cast(downloads as bigint) as downloads,
        landing_id,
        cast(load_seq as bigint) as load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
