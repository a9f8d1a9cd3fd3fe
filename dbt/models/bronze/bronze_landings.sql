{# Whole each time: two loads at once, or one that died, add rows with a load sequence that was seen before. #}
{{ config(materialized='table') }}

with source as (
    select
        landing_id,
        source,
        scope,
        run_id,
        as_of,
        started_at,
        finished_at,
        status,
        status_detail,
        pages,
        rows,
        requests,
        quota,
        watermark,
        covered_from,
        last_event_at,
        upstream_id,
        upstream_name,
        load_seq,
        loaded_at
    from {{ raw_rows('landings') }}
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
        cast(pages as bigint) as page_count,
        cast(rows as bigint) as row_count,
        cast(requests as bigint) as request_count,
        cast(quota as bigint) as quota_count,
        {{ utc_timestamp('watermark') }} as watermark,
        {{ utc_timestamp('covered_from') }} as covered_from,
        {{ utc_timestamp('last_event_at') }} as last_event_at,
        cast(upstream_id as bigint) as upstream_id,
        upstream_name,
        cast(load_seq as bigint) as load_seq,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
