{# Written by `make render` from spark_apps/tables/repo_snapshots.py; edit it there. #}
{{ config(unique_key=['repo', 'snapshot_date']) }}

with source as (
    select * from {{ raw_rows('repo_snapshots') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        snapshot_date,
        repo_id,
        full_name,
        default_branch,
        is_archived,
        is_disabled,
        has_issues,
        forks_count,
        size_kb,
        watchers_count,
        stargazers_count,
        subscribers_count,
        open_issues_count,
        network_count,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('pushed_at') }} as pushed_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
        odd,
        landing_id,
        load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
