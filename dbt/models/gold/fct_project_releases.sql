with versions as (
    select * from {{ ref('silver_scope_versions') }}
)

select
    scope as project,
    version,
    released_at,
    is_on_pypi,
    is_on_github
from versions
where scope_kind = 'project'
