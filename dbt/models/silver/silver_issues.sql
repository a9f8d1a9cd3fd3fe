with source as (
    {{ listed_rows(ref('bronze_issues'), 'repo', grain='landed.number') }}
),

renamed as (
    select
        source.listed_name as repo,
        source.repo_id,
        source.number,
        source.title,
        {{ account_of('source.author_id', 'source.author_login') }} as person_key,
        {{ login_of('source.author_login') }} as login,
        source.author_type as account_type,
        source.comments_count,
        source.labels,
        source.html_url,
        {{ possible('source.created_at') }} as created_at,
        {{ possible('source.updated_at') }} as updated_at,
        -- A reopened issue is open, whatever it still carries.
        case
            when source.state = 'closed' and source.closed_at < {{ as_of_end() }} then {{ possible('source.closed_at') }}
        end as closed_at,
        -- Closed, but nobody can say when: it is not open on any day.
        source.state = 'closed' and {{ possible('source.closed_at') }} is null as is_closed_at_unknown_time,
        source.state_reason,
        -- An issue that is older than its repository came from elsewhere, and its times with it.
        coalesce({{ possible('source.created_at') }} < repos.created_at, false) as is_imported,
        -- Switched off now: nobody can see or answer them, and no figure is made of them.
        coalesce(not current_repos.has_issues, false) as is_switched_off,
        {{ event_flags(possible('source.created_at'), 'source.is_deleted') }}
    from source
    left join {{ ref('silver_repos') }} as repos on source.listed_name = repos.repo and source.repo_id = repos.repo_id
    left join {{ ref('silver_repos') }} as current_repos
        on source.listed_name = current_repos.repo and current_repos.is_current
    where source.copy_number = 1 and not coalesce(source.is_pull_request, false)
)

select * from renamed
