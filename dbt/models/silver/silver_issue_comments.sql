with source as (
    {{ listed_rows(ref('bronze_issue_comments'), 'repo') }}
),

renamed as (
    select
        listed_name as repo,
        repo_id,
        comment_id,
        issue_number,
        {{ person_of('author_login') }} as person,
        author_type as account_type,
        created_at,
        {{ event_flags('created_at', 'is_deleted') }}
    from source
)

select * from renamed
