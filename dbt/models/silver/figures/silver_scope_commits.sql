-- Commits by author date of each scope that has repositories; one that is in two of a project's counts once.
with commits as (
    select
        members.scope_kind,
        members.scope,
        events.sha,
        events.person_key,
        events.happened_at,
        events.happened_on,
        people.is_bot,
        people.is_known,
        -- Of a history that is cut, nobody knows whose first commit is the first.
        coverage.commits_from is null as is_from_whole_history,
        row_number() over (
            partition by members.scope_kind, members.scope, events.sha order by members.position
        ) as copy_number
    from {{ ref('silver_commit_events') }} as events
    inner join {{ ref('silver_figure_members') }} as members on members.kind = 'repo' and events.repo = members.member
    inner join {{ ref('silver_people') }} as people on events.person_key = people.person_key
    left join {{ ref('silver_repo_coverage') }} as coverage on events.repo = coverage.repo
    where events.role = 'author' and events.is_counted
)

select
    scope_kind,
    scope,
    sha,
    person_key,
    happened_at,
    happened_on,
    is_bot,
    is_known,
    is_from_whole_history
from commits
where copy_number = 1
