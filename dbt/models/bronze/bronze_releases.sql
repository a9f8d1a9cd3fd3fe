{# Written by `make render` from spark_apps/tables/releases.py; edit it there. #}
{{ config(unique_key=['repo_id', 'release_id']) }}

with source as (
    select * from {{ raw_rows('releases') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        repo_id,
        release_id,
        tag_name,
        name,
        is_draft,
        is_prerelease,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('published_at') }} as published_at,
        author_login,
        author_id,
        author_type,
        html_url,
        is_deleted,
        odd,
        landing_id,
        load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
