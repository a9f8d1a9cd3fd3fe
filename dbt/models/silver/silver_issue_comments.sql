with source as (
    {{ listed_rows(ref('bronze_issue_comments'), 'repo') }}
),

renamed as (
    select
        listed_name as repo,
        repo_id,
        comment_id,
        issue_number,
        {{ account_of('author_id', 'author_login') }} as person_key,
        {{ login_of('author_login') }} as login,
        author_type as account_type,
        {{ possible('created_at') }} as created_at,
        {{ event_flags(possible('created_at'), 'is_deleted') }}
    from source
)

select * from renamed
