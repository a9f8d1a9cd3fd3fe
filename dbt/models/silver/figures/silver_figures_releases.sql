with weeks as (
    select * from {{ ref('silver_figure_weeks') }}
),

publications as (
    select
        members.scope_kind,
        members.scope,
        releases.source,
        releases.version,
        releases.released_at,
        releases.is_prerelease,
        releases.is_yanked
    from {{ ref('silver_releases') }} as releases
    inner join {{ ref('silver_figure_members') }} as members
        on
            releases.scope = members.member
            and members.kind = case releases.source when 'pypi' then 'package' else 'repo' end
),

-- One version, wherever it is published, is one release.
versions as (
    select
        scope_kind,
        scope,
        version,
        {{ day_of('min(case when not is_prerelease then released_at end)') }} as final_on
    from publications
    group by scope_kind, scope, version
    having
        -- Final if one of its publications is; gone if PyPI has it and all of that is yanked.
        count(*) filter (where not is_prerelease) > 0
        and (count(*) filter (where source = 'pypi') = 0 or count(*) filter (where source = 'pypi' and not is_yanked) > 0)
),

windows as (
    select
        weeks.scope_kind,
        weeks.scope,
        weeks.week,
        count(*) filter (where versions.final_on > {{ days_later('weeks.ends_on', -365) }}) as releases_365d,
        count(*) as num_versions,
        max(versions.final_on) as newest_on
    from weeks
    inner join versions
        on weeks.scope_kind = versions.scope_kind and weeks.scope = versions.scope and weeks.ends_on >= versions.final_on
    group by weeks.scope_kind, weeks.scope, weeks.week
)

select
    weeks.scope_kind,
    weeks.scope,
    weeks.week,
    weeks.ends_on,
    coalesce(windows.releases_365d, 0) as releases_365d,
    coalesce(windows.releases_365d, 0) as releases_365d_n,
    {{ days_between('windows.newest_on', 'weeks.ends_on') }} as days_since_release,
    coalesce(windows.num_versions, 0) as days_since_release_n,
    case when windows.newest_on is null then 'none' end as days_since_release_status,
    case when windows.newest_on is null then 'no release' end as days_since_release_reason
from weeks
left join windows
    on weeks.scope_kind = windows.scope_kind and weeks.scope = windows.scope and weeks.week = windows.week
