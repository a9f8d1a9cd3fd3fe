{{ config(unique_key=['repo', 'snapshot_date']) }}

with source as (
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
        created_at,
        pushed_at,
        updated_at,
        landing_id,
        load_seq,
        fetched_at,
        loaded_at
    from {{ raw_rows('repo_snapshots') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        snapshot_date,
        cast(repo_id as bigint) as repo_id,
        full_name,
        default_branch,
        is_archived,
        is_disabled,
        has_issues,
        cast(forks_count as bigint) as forks_count,
        cast(size_kb as bigint) as size_kb,
        cast(watchers_count as bigint) as watchers_count,
        cast(stargazers_count as bigint) as stargazers_count,
        cast(subscribers_count as bigint) as subscribers_count,
        cast(open_issues_count as bigint) as open_issues_count,
        cast(network_count as bigint) as network_count,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('pushed_at') }} as pushed_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
        landing_id,
        cast(load_seq as bigint) as load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
