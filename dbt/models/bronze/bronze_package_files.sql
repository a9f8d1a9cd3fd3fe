{# Written by `make render` from spark_apps/tables/package_files.py; edit it there. #}
{{ config(unique_key=['package', 'version', 'filename']) }}

with source as (
    select * from {{ raw_rows('package_files') }}
    {{ new_rows() }}
),

renamed as (
    select
        package,
        version,
        filename,
        packagetype,
        {{ utc_timestamp('uploaded_at') }} as uploaded_at,
        is_prerelease,
        is_yanked,
        yanked_reason,
        requires_python,
        is_deleted,
        odd,
        landing_id,
        load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
