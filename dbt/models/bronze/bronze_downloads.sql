{# Written by `make render` from spark_apps/tables/downloads.py; edit it there. #}
{{ config(unique_key=['package', 'kind', 'category', 'date']) }}

with source as (
    select * from {{ raw_rows('downloads') }}
    {{ new_rows() }}
),

renamed as (
    select
        package,
        kind,
        category,
        date,
        downloads,
        odd,
        landing_id,
        load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
