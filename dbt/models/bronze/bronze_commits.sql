{# Written by `make render` from spark_apps/tables/commits.py; edit it there. #}
{{ config(unique_key=['repo', 'sha']) }}

with source as (
    select * from {{ raw_rows('commits') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        sha,
        repo_id,
        author_name,
        author_email,
        {{ utc_timestamp('authored_at') }} as authored_at,
        author_login,
        author_id,
        author_type,
        committer_name,
        committer_email,
        {{ utc_timestamp('committed_at') }} as committed_at,
        committer_login,
        committer_id,
        committer_type,
        message,
        is_reachable,
        odd,
        landing_id,
        load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
