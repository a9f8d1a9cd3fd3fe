with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

snapshots as (
    select
        repo,
        snapshot_date,
        stargazers_count
    from {{ ref('silver_repo_snapshots') }}
    where stargazers_count is not null
),

counted as (
    select distinct repo from snapshots
),

births as (
    select
        repo,
        {{ day_of('min(created_at)') }} as created_on
    from {{ ref('silver_repos') }}
    group by repo
),

-- Each window's end, and the day 28 days before it.
moments as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        members.member as repo,
        moment.name as moment,
        case moment.name when 'now' then weeks.ends_on else {{ days_later('weeks.ends_on', -28) }} end as date
    from weeks
    inner join {{ ref('silver_figure_members') }} as members
        on weeks.scope_kind = members.scope_kind and weeks.scope = members.scope and members.kind = 'repo'
    -- One without any snapshot is missing as a whole, which the list of gaps says.
    inner join counted on members.member = counted.repo
    cross join (values ('now'), ('before')) as moment (name)
),

held as (
    select
        moments.scope_kind,
        moments.scope,
        moments.week,
        moments.repo,
        moments.moment,
        snapshots.stargazers_count,
        row_number() over (
            partition by moments.scope_kind, moments.scope, moments.week, moments.repo, moments.moment
            order by snapshots.snapshot_date desc
        ) as recency
    from moments
    left join snapshots
        on
            moments.repo = snapshots.repo
            and snapshots.snapshot_date between {{ days_later('moments.date', -6) }} and moments.date
),

counts as (
    select
        held.scope_kind,
        held.scope,
        held.week,
        held.repo,
        max(case when held.moment = 'now' then held.stargazers_count end) as stars_now,
        max(case when held.moment = 'before' then held.stargazers_count end) as stars_before,
        max(births.created_on) as created_on
    from held
    left join births on held.repo = births.repo
    where held.recency = 1
    group by held.scope_kind, held.scope, held.week, held.repo
),

-- A repository that was not there yet has no stars to miss, and gained all that it has since.
settled as (
    select
        counts.scope_kind,
        counts.scope,
        counts.week,
        counts.repo,
        counts.stars_now,
        coalesce(
            counts.stars_before, case when counts.created_on > {{ days_later('weeks.ends_on', -28) }} then 0 end
        ) as stars_before
    from counts
    inner join weeks on counts.scope_kind = weeks.scope_kind and counts.scope = weeks.scope and counts.week = weeks.week
    where counts.created_on is null or counts.created_on <= weeks.ends_on
),

totals as (
    select
        scope_kind,
        scope,
        week,
        count(*) as num_repos,
        sum(stars_now) as stars,
        count(stars_now) as num_now,
        sum(stars_now - stars_before) as gained,
        count(stars_now - stars_before) as num_both,
        {{ joined("case when stars_now is null then repo end", ', ') }} as without_now,
        {{ joined("case when stars_now is null or stars_before is null then repo end", ', ') }} as without_both
    from settled
    group by scope_kind, scope, week
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    weeks.ends_on,
    totals.stars,
    coalesce(totals.num_now, 0) as stars_n,
    case when totals.num_now between 1 and totals.num_repos - 1 then 'partial' end as stars_status,
    case when totals.num_now < totals.num_repos then 'no snapshot of ' || totals.without_now end as stars_reason,
    totals.gained as stars_gained_28d,
    coalesce(totals.num_both, 0) as stars_gained_28d_n,
    case when totals.num_both between 1 and totals.num_repos - 1 then 'partial' end as stars_gained_28d_status,
    case
        when totals.num_both < totals.num_repos then 'no two snapshots 28 days apart of ' || totals.without_both
    end as stars_gained_28d_reason
from weeks
left join totals
    on weeks.scope_kind = totals.scope_kind and weeks.scope = totals.scope and weeks.week = totals.week
where weeks.scope_kind in ('repo', 'project')
