-- Figures of one row that must add up.
select
    'fct_issue_response' as what,
    repo
from {{ ref('fct_issue_response') }}
where answered + unanswered <> issues_opened or p15_hours > p50_hours or p50_hours > p85_hours

union all

select
    'fct_change_requests' as what,
    repo
from {{ ref('fct_change_requests') }}
where merged + closed_unmerged + still_open <> opened

union all

select
    'fct_contributors' as what,
    repo
from {{ ref('fct_contributors') }}
where "new" + "returning" <> active

union all

select
    'fct_releases' as what,
    releases.scope as repo
from {{ ref('fct_releases') }} as releases
left join {{ ref('dim_projects') }} as projects
    on releases.project = projects.project and releases.scope = projects.name
where projects.name is null

union all

select
    'fct_release_uplift' as what,
    uplift.package as repo
from {{ ref('fct_release_uplift') }} as uplift
left join {{ ref('fct_releases') }} as releases
    on uplift.package = releases.scope and uplift.version = releases.name and releases.source = 'pypi'
where releases.name is null

union all

select
    'fct_data_quality' as what,
    scope as repo
from {{ ref('fct_data_quality') }}
where (status = 'ok') <> (failing_rows = 0 and reason is null) and status not in ('gone', 'closed')
