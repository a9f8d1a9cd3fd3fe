{# Written by `make render` from spark_apps/tables/pulls.py; edit it there. #}
{{ config(unique_key=['repo_id', 'number']) }}

with source as (
    select * from {{ raw_rows('pulls') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        repo_id,
        number,
        state,
        is_draft,
        title,
        author_login,
        author_id,
        author_type,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
        {{ utc_timestamp('closed_at') }} as closed_at,
        {{ utc_timestamp('merged_at') }} as merged_at,
        merge_commit_sha,
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
