{# Whole each time: two loads at once, or one that died, add rows with a load sequence that was seen before. #}
{{ config(materialized='table') }}

with source as (
    select
        landing_id,
        source,
        scope,
        table_name,
        page_file,
        line,
        reason,
        load_seq,
        loaded_at,
        resolved_at
    from {{ raw_rows('quarantine') }}
),

renamed as (
    select
        landing_id,
        source,
        scope,
        table_name,
        page_file,
        cast(line as bigint) as line_number,
        reason,
        cast(load_seq as bigint) as load_seq,
        {{ utc_timestamp('loaded_at') }} as loaded_at,
        {{ utc_timestamp('resolved_at') }} as resolved_at
    from source
)

select * from renamed
