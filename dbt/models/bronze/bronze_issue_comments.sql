{# Written by `make render` from spark_apps/tables/issue_comments.py; edit it there. #}
{{ config(unique_key=['repo_id', 'comment_id']) }}

with source as (
    select * from {{ raw_rows('issue_comments') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        repo_id,
        comment_id,
        issue_number,
        author_login,
        author_id,
        author_type,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
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
