with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

person_days as (
    select
        scope_kind,
        scope,
        person_key,
        happened_on,
        is_bot,
        is_known,
        count(*) as num_commits
    from {{ ref('silver_scope_commits') }}
    group by scope_kind, scope, person_key, happened_on, is_bot, is_known
),

first_days as (
    select
        scope_kind,
        scope,
        person_key,
        min(happened_on) as first_date
    from {{ ref('silver_scope_commits') }}
    where is_known and not is_bot and is_from_whole_history
    group by scope_kind, scope, person_key
),

person_windows as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        person_days.person_key,
        person_days.is_bot,
        person_days.is_known,
        sum(person_days.num_commits) as commits_365d,
        coalesce(sum(person_days.num_commits) filter (
            where person_days.happened_on > {{ days_later('weeks.ends_on', -28) }}
        ), 0) as commits_28d
    from weeks
    inner join person_days
        on
            weeks.scope_kind = person_days.scope_kind
            and weeks.scope = person_days.scope
            and person_days.happened_on between {{ days_later('weeks.ends_on', -364) }} and weeks.ends_on
    group by weeks.scope_kind, weeks.scope, weeks.week, person_days.person_key, person_days.is_bot, person_days.is_known
),

ranked as (
    select
        *,
        is_known and not is_bot as is_person,
        row_number() over by_commits as position,
        sum(commits_365d) over (by_commits rows between unbounded preceding and current row) as commits_so_far,
        sum(commits_365d) over (
            partition by scope_kind, scope, week, is_known and not is_bot
        ) as commits_in_window
    from person_windows
    window by_commits as (
        partition by scope_kind, scope, week, is_known and not is_bot order by commits_365d desc, person_key asc
    )
),

totals as (
    select
        scope_kind,
        scope,
        week,
        sum(commits_28d) filter (where not is_bot) as commits_28d,
        sum(commits_365d) filter (where not is_bot) as commits_365d,
        count(*) filter (where is_person and commits_28d > 0) as active_people_28d,
        sum(commits_28d) filter (where is_person) as active_people_28d_n,
        count(*) filter (where is_person) as active_people_365d,
        sum(commits_365d) filter (where is_person) as commits_by_known_people_365d,
        min(case when is_person and 2 * commits_so_far >= commits_in_window then position end) as absence_factor_365d,
        max(commits_365d) filter (where is_person) as top_commits_365d,
        sum(commits_365d) filter (where is_bot) as bot_commits_365d,
        sum(commits_365d) as all_commits_365d
    from ranked
    group by scope_kind, scope, week
),

new_people as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        count(*) as new_people_90d
    from weeks
    inner join first_days
        on
            weeks.scope_kind = first_days.scope_kind
            and weeks.scope = first_days.scope
            and first_days.first_date between {{ days_later('weeks.ends_on', -89) }} and weeks.ends_on
    group by weeks.scope_kind, weeks.scope, weeks.week
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    weeks.ends_on,
    coalesce(totals.commits_28d, 0) as commits_28d,
    coalesce(totals.commits_28d, 0) as commits_28d_n,
    coalesce(totals.commits_365d, 0) as commits_365d,
    coalesce(totals.commits_365d, 0) as commits_365d_n,
    coalesce(totals.active_people_28d, 0) as active_people_28d,
    coalesce(totals.active_people_28d_n, 0) as active_people_28d_n,
    coalesce(totals.active_people_365d, 0) as active_people_365d,
    coalesce(totals.commits_by_known_people_365d, 0) as active_people_365d_n,
    totals.absence_factor_365d,
    coalesce(totals.commits_by_known_people_365d, 0) as absence_factor_365d_n,
    {{ share('totals.top_commits_365d', 'totals.commits_by_known_people_365d') }} as top_share_365d,
    coalesce(totals.commits_by_known_people_365d, 0) as top_share_365d_n,
    coalesce(new_people.new_people_90d, 0) as new_people_90d,
    coalesce(new_people.new_people_90d, 0) as new_people_90d_n,
    {{ share('coalesce(totals.bot_commits_365d, 0)', 'totals.all_commits_365d') }} as bot_share_365d,
    coalesce(totals.all_commits_365d, 0) as bot_share_365d_n
from weeks
left join totals
    on weeks.scope_kind = totals.scope_kind and weeks.scope = totals.scope and weeks.week = totals.week
left join new_people
    on weeks.scope_kind = new_people.scope_kind and weeks.scope = new_people.scope and weeks.week = new_people.week
where weeks.scope_kind in ('repo', 'project')
