with commits as (
    select * from {{ ref('silver_scope_commits') }}
    where is_known
),

people as (
    select * from {{ ref('silver_people') }}
),

co_authors as (
    select * from {{ ref('silver_scope_co_authors') }}
),

windows as (
    select window_days from (values (90), (365), (0)) as listed (window_days)
),

histories as (
    select
        scope_kind,
        scope,
        person_key,
        min(happened_at) as first_commit_at,
        max(happened_at) as last_commit_at,
        bool_and(is_from_whole_history) as is_whole
    from commits
    group by scope_kind, scope, person_key
),

-- Of a scope with a history that is cut, nobody is known to be new.
whole_scopes as (
    select
        scope_kind,
        scope,
        bool_and(is_from_whole_history) as is_whole
    from commits
    group by scope_kind, scope
),

counts as (
    select
        commits.scope_kind,
        commits.scope,
        windows.window_days,
        commits.person_key,
        commits.is_bot,
        count(*) as commits
    from commits
    cross join windows
    where windows.window_days = 0 or commits.happened_on > {{ days_later(as_of(), '-windows.window_days') }}
    group by commits.scope_kind, commits.scope, windows.window_days, commits.person_key, commits.is_bot
),

co_authored as (
    select
        co_authors.scope_kind,
        co_authors.scope,
        windows.window_days,
        co_authors.person_key,
        count(*) as co_authored
    from co_authors
    cross join windows
    where windows.window_days = 0 or co_authors.happened_on > {{ days_later(as_of(), '-windows.window_days') }}
    group by co_authors.scope_kind, co_authors.scope, windows.window_days, co_authors.person_key
),

described as (
    select
        counts.scope_kind,
        counts.scope,
        counts.window_days,
        counts.person_key,
        people.person,
        counts.is_bot,
        counts.commits,
        histories.first_commit_at,
        histories.last_commit_at,
        whole_scopes.is_whole
    from counts
    inner join people on counts.person_key = people.person_key
    inner join histories
        on
            counts.scope_kind = histories.scope_kind
            and counts.scope = histories.scope
            and counts.person_key = histories.person_key
    inner join whole_scopes on counts.scope_kind = whole_scopes.scope_kind and counts.scope = whole_scopes.scope
),

ranked as (
    select
        *,
        dense_rank() over (partition by scope_kind, scope, window_days, is_bot order by commits desc) as rank,
        sum(commits) over (partition by scope_kind, scope, window_days, is_bot) as commits_in_window,
        sum(commits) over (
            partition by scope_kind, scope, window_days, is_bot
            order by commits desc, first_commit_at asc, person asc
            rows between unbounded preceding and current row
        ) as commits_so_far
    from described
)

select
    ranked.scope_kind,
    ranked.scope,
    {{ bigint('ranked.window_days') }} as window_days,
    ranked.person,
    {{ bigint('ranked.commits') }} as commits,
    case when not ranked.is_bot then {{ share('ranked.commits', 'ranked.commits_in_window') }} end as share,
    case when not ranked.is_bot then {{ bigint('ranked.rank') }} end as rank,
    ranked.first_commit_at,
    ranked.last_commit_at,
    ranked.is_bot,
    -- Those before this one have less than half between them.
    not ranked.is_bot and 2 * (ranked.commits_so_far - ranked.commits) < ranked.commits_in_window as carries,
    case
        when not ranked.is_whole then null
        else ranked.window_days = 0
            or {{ day_of('ranked.first_commit_at') }} > {{ days_later(as_of(), '-ranked.window_days') }}
    end as is_new,
    {{ bigint('coalesce(co_authored.co_authored, 0)') }} as co_authored
from ranked
left join co_authored
    on
        ranked.scope_kind = co_authored.scope_kind
        and ranked.scope = co_authored.scope
        and ranked.window_days = co_authored.window_days
        and ranked.person_key = co_authored.person_key
