-- Whose events a scope's figures are made of: a repo or package of its own, a project of all its members.
with listed as (
    select * from {{ ref('silver_listed_scopes') }}
)

select
    kind as scope_kind,
    name as scope,
    kind,
    name as member,
    position
from listed

union all

select
    'project' as scope_kind,
    project as scope,
    kind,
    name as member,
    position
from listed
