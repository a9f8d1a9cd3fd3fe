{# Written by `make render` from spark_apps/quarantine.py; edit it there. #}
{# Rebuilt each time: two loads at once, or one that died, add rows under a load sequence seen before. #}
{{ config(materialized='table') }}

with source as (
    select * from {{ raw_rows('quarantine') }}
),

renamed as (
    select
        landing_id,
        source,
        scope,
        table_name,
        kind,
        page_file,
        cast(line as bigint) as line_number,
        row_count,
        reason,
        load_seq,
        {{ utc_timestamp('loaded_at') }} as loaded_at,
        {{ utc_timestamp('resolved_at') }} as resolved_at
    from source
)

select * from renamed
