{{ config(unique_key=['repo_id', 'number']) }}

with source as (
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
        created_at,
        updated_at,
        closed_at,
        merged_at,
        html_url,
        is_deleted,
        landing_id,
        load_seq,
        fetched_at,
        loaded_at
    from {{ raw_rows('pulls') }}
    {{ new_rows() }}
),

renamed as (
    select
        repo,
        cast(repo_id as bigint) as repo_id,
        cast(number as bigint) as number,
        state,
        is_draft,
        title,
        author_login,
        cast(author_id as bigint) as author_id,
        author_type,
        {{ utc_timestamp('created_at') }} as created_at,
        {{ utc_timestamp('updated_at') }} as updated_at,
        {{ utc_timestamp('closed_at') }} as closed_at,
        {{ utc_timestamp('merged_at') }} as merged_at,
        html_url,
        is_deleted,
        landing_id,
        cast(load_seq as bigint) as load_seq,
        {{ utc_timestamp('fetched_at') }} as fetched_at,
        {{ utc_timestamp('loaded_at') }} as loaded_at
    from source
)

select * from renamed
