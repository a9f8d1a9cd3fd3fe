with source as (
    {{ listed_rows(ref('bronze_pulls'), 'repo', grain='landed.number') }}
),

deleted as (
    -- Sweeps go over the list of issues, which holds pull requests too.
    select
        repo_id,
        number
    from {{ ref('bronze_issues') }}
    where is_pull_request and is_deleted
),

renamed as (
    select
        source.listed_name as repo,
        source.repo_id,
        source.number,
        source.title,
        {{ person_of('source.author_login') }} as person,
        source.author_type as account_type,
        source.html_url,
        source.created_at,
        case when source.merged_at < {{ as_of_end() }} then source.merged_at end as merged_at,
        case
            when source.state = 'closed' and source.closed_at < {{ as_of_end() }} then source.closed_at
        end as closed_at,
        {{ event_flags('source.created_at', '(source.is_deleted or deleted.number is not null)') }}
    from source
    left join deleted on source.repo_id = deleted.repo_id and source.number = deleted.number
    where source.copy_number = 1
)

select * from renamed
