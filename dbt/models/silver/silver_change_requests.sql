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
        {{ account_of('source.author_id', 'source.author_login') }} as person_key,
        {{ login_of('source.author_login') }} as login,
        source.author_type as account_type,
        source.html_url,
        {{ possible('source.created_at') }} as created_at,
        case when source.merged_at < {{ as_of_end() }} then {{ possible('source.merged_at') }} end as merged_on_github_at,
        case
            when source.state = 'closed' and source.closed_at < {{ as_of_end() }} then {{ possible('source.closed_at') }}
        end as closed_at,
        -- Closed, but nobody can say when: it is not open on any day.
        source.state = 'closed' and {{ possible('source.closed_at') }} is null as is_closed_at_unknown_time,
        coalesce({{ possible('source.created_at') }} < repos.created_at, false) as is_imported,
        {{ event_flags(possible('source.created_at'), '(source.is_deleted or deleted.number is not null)') }}
    from source
    left join deleted on source.repo_id = deleted.repo_id and source.number = deleted.number
    left join {{ ref('silver_repos') }} as repos on source.listed_name = repos.repo and source.repo_id = repos.repo_id
    where source.copy_number = 1
),

-- Some projects merge with a script, which GitHub shows as closed.
merged_by_commit as (
    select distinct
        renamed.repo,
        renamed.number
    from renamed
    inner join {{ ref('silver_closing_commits') }} as closing
        on
            renamed.repo = closing.repo
            and renamed.number = closing.number
            and closing.committed_at between renamed.closed_at - interval '30' day and renamed.closed_at + interval '1' day
    where renamed.merged_on_github_at is null
)

select
    renamed.repo,
    renamed.repo_id,
    renamed.number,
    renamed.title,
    renamed.person_key,
    renamed.login,
    renamed.account_type,
    renamed.html_url,
    renamed.created_at,
    case
        when merged_by_commit.number is not null then renamed.closed_at
        else renamed.merged_on_github_at
    end as merged_at,
    renamed.closed_at,
    renamed.is_closed_at_unknown_time,
    renamed.is_imported,
    renamed.is_deleted,
    renamed.is_after_as_of,
    renamed.is_counted
from renamed
left join merged_by_commit on renamed.repo = merged_by_commit.repo and renamed.number = merged_by_commit.number
