{{ config(unique_key=['package', 'version', 'filename']) }}

with source as (
    select
        package,
        version,
        filename,
        packagetype,
        uploaded_at,
        is_prerelease,
        is_yanked,
        yanked_reason,
        requires_python,
        is_deleted,
        landing_id,
        load_seq,
        fetched_at,
        loaded_at
    from {{ raw_rows('package_files') }}
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
        landing_id,
        cast(load_seq as bigint) as load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
