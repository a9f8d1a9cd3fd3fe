-- One version, wherever it is published, is one release; it is final if one of its publications is.
with publications as (
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
)

select
    scope_kind,
    scope,
    version,
    min(case when not is_prerelease then released_at end) as released_at,
    bool_or(source = 'pypi') as is_on_pypi,
    bool_or(source = 'github') as is_on_github
from publications
group by scope_kind, scope, version
having
    count(*) filter (where not is_prerelease) > 0
    -- Gone if PyPI has it and all of that is yanked.
    and (count(*) filter (where source = 'pypi') = 0 or count(*) filter (where source = 'pypi' and not is_yanked) > 0)
