with source as (
    {{ listed_rows(ref('bronze_issues'), 'repo', grain='landed.number') }}
),

renamed as (
    select
        listed_name as repo,
        repo_id,
        number,
        title,
        {{ person_of('author_login') }} as person,
        author_type as account_type,
        comments_count,
        labels,
        html_url,
        created_at,
        updated_at,
        -- A reopened issue is open, whatever it still carries.
        case when state = 'closed' and closed_at < {{ as_of_end() }} then closed_at end as closed_at,
        {{ event_flags('created_at', 'is_deleted') }}
    from source
    where copy_number = 1 and not coalesce(is_pull_request, false)
)

select * from renamed
