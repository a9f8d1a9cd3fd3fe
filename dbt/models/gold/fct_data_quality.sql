{# subject, bronze table, kind of scope, its event times, when a row lacks a time, when upstream no longer has it #}
{% set subjects = [
    ('repo_snapshots', 'repo_snapshots', 'repo', ['cast(landed.snapshot_date as timestamp)'], 'false', 'false'),
    (
        'commits', 'commits', 'repo', ['landed.authored_at', 'landed.committed_at'],
        'landed.authored_at is null or landed.committed_at is null', 'not landed.is_reachable',
    ),
    (
        'issues', 'issues', 'repo', ['landed.created_at', 'landed.updated_at', 'landed.closed_at'],
        'landed.created_at is null', 'landed.is_deleted',
    ),
    ('comments', 'issue_comments', 'repo', ['landed.created_at'], 'landed.created_at is null', 'landed.is_deleted'),
    (
        'pull_requests', 'pulls', 'repo', ['landed.created_at', 'landed.closed_at', 'landed.merged_at'],
        'landed.created_at is null', 'landed.is_deleted',
    ),
    (
        'releases', 'releases', 'repo', ['landed.published_at'],
        'landed.published_at is null and not landed.is_draft', 'landed.is_deleted',
    ),
    (
        'package_files', 'package_files', 'package', ['landed.uploaded_at'],
        'landed.uploaded_at is null', 'landed.is_deleted',
    ),
    ('downloads', 'downloads', 'package', ['cast(landed.date as timestamp)'], 'false', 'false'),
] %}
{# finding, the status of a check that has one #}
{% set findings = [('after_as_of', 'left_out'), ('without_time', 'left_out'), ('removed_upstream', 'left_out')] %}

with scopes as (
    select
        kind,
        name as scope,
        match_key
    from {{ ref('silver_listed_scopes') }}
),

counts as (
    {%- for subject, table, kind, moments, without_time, removed in subjects %}
    select
        '{{ subject }}' as subject,
        scopes.scope,
        count(*) filter (where {{ moments | join(' >= ' ~ as_of_end() ~ ' or ') }} >= {{ as_of_end() }}) as after_as_of,
        count(*) filter (where landed.load_seq is not null and ({{ without_time }})) as without_time,
        count(*) filter (where landed.load_seq is not null and {{ removed }}) as removed_upstream
    from scopes
    left join {{ ref('bronze_' ~ table) }} as landed on scopes.match_key = lower(landed.{{ kind }})
    where scopes.kind = '{{ kind }}'
    group by scopes.scope
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

held_back as (
    select
        sources.source,
        scopes.scope,
        count(held.landing_id) as failing_rows
    from scopes
    inner join {{ ref('sources') }} as sources on scopes.kind = sources.kind
    left join {{ ref('bronze_quarantine') }} as held
        on sources.source = held.source and scopes.match_key = lower(held.scope) and held.resolved_at is null
    group by sources.source, scopes.scope
),

checks as (
    {%- for finding, status in findings %}
    select
        subject || '_{{ finding }}' as check_name,
        scope,
        {{ finding }} as failing_rows,
        case when {{ finding }} = 0 then 'ok' else '{{ status }}' end as status
    from counts

    union all
    {% endfor %}
    select
        source || '_quarantined' as check_name,
        scope,
        failing_rows,
        case when failing_rows = 0 then 'ok' else 'held_back' end as status
    from held_back

    union all

    -- The rows stay, but nobody can refresh them.
    select
        coverage.source || '_gone_upstream' as check_name,
        coverage.scope,
        case when coverage.status = 'gone' then coalesce(held.row_count, 0) else 0 end as failing_rows,
        case when coverage.status = 'gone' then 'gone' else 'ok' end as status
    from {{ ref('silver_coverage') }} as coverage
    left join {{ ref('silver_source_rows') }} as held
        on coverage.source = held.source and coverage.scope = held.scope
)

select
    check_name,
    scope,
    {{ run_time() }} as checked_at,
    failing_rows,
    status
from checks
