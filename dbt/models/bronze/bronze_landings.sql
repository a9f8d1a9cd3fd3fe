{# Written by `make render` from spark_apps/ledger.py; edit it there. #}
{# Rebuilt each time: two loads at once, or one that died, add rows under a load sequence seen before. #}
{{ config(materialized='table') }}

with source as (
    select * from {{ raw_rows('landings') }}
),

renamed as (
    select
        landing_id,
        source,
        scope,
        run_id,
        as_of,
        {{ utc_timestamp('started_at') }} as started_at,
        {{ utc_timestamp('finished_at') }} as finished_at,
        status,
        status_detail,
        upstream_status,
        cast(pages as bigint) as page_count,
        rows as row_count,
        requests as request_count,
        quota as quota_count,
        {{ utc_timestamp('watermark') }} as watermark,
        {{ utc_timestamp('covered_from') }} as covered_from,
        {{ utc_timestamp('covered_to') }} as covered_to,
        {{ utc_timestamp('last_event_at') }} as last_event_at,
        upstream_id,
        upstream_name,
        load_seq,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
