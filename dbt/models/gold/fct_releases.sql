with releases as (
    select
        scopes.project,
        releases.*
    from {{ ref('silver_releases') }} as releases
    inner join {{ ref('silver_listed_scopes') }} as scopes
        on
            releases.scope = scopes.name
            and scopes.kind = case releases.source when 'pypi' then 'package' else 'repo' end
),

previous as (
    select
        releases.source,
        releases.scope,
        releases.name,
        max(finals.released_at) as released_at
    from releases
    inner join releases as finals
        on
            releases.source = finals.source
            and releases.scope = finals.scope
            and releases.released_at > finals.released_at
    where not finals.is_prerelease
    group by releases.source, releases.scope, releases.name
)

select
    releases.project,
    releases.source,
    releases.scope,
    releases.name,
    releases.version,
    releases.released_at,
    releases.is_prerelease,
    releases.is_yanked,
    {{ seconds_between('previous.released_at', 'releases.released_at') }} / 86400 as days_since_previous
from releases
left join previous
    on
        releases.source = previous.source
        and releases.scope = previous.scope
        and releases.name = previous.name
