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
{# finding, why its rows are left out #}
{% set findings = [
    ('after_as_of', 'dated after the end of as_of'),
    ('without_time', 'no date to count it by'),
    ('removed_upstream', 'deleted or transferred upstream, or no longer on the default branch'),
] %}

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

quarantined as (
    select
        source,
        lower(scope) as match_key,
        coalesce(reason, 'no reason was given') as reason,
        count(*) as num_rows
    from {{ ref('bronze_quarantine') }}
    where resolved_at is null
    group by source, lower(scope), coalesce(reason, 'no reason was given')
),

by_frequency as (
    select
        *,
        row_number() over (partition by source, match_key order by num_rows desc, reason asc) as position
    from quarantined
),

held_back as (
    select
        sources.source,
        scopes.scope,
        coalesce(sum(held.num_rows), 0) as failing_rows,
        max(case when held.position = 1 then held.reason end) as reason
    from scopes
    inner join {{ ref('sources') }} as sources on scopes.kind = sources.kind
    left join by_frequency as held on sources.source = held.source and scopes.match_key = held.match_key
    group by sources.source, scopes.scope
),

checks as (
    {%- for finding, reason in findings %}
    select
        subject || '_{{ finding }}' as check_name,
        scope,
        {{ finding }} as failing_rows,
        case when {{ finding }} = 0 then 'ok' else 'left_out' end as status,
        case when {{ finding }} > 0 then '{{ reason }}' end as reason
    from counts

    union all
    {% endfor %}
    select
        source || '_quarantined' as check_name,
        scope,
        failing_rows,
        case when failing_rows = 0 then 'ok' else 'held_back' end as status,
        reason
    from held_back

    union all

    -- The rows stay, but nobody can refresh them.
    select
        coverage.source || '_gone_upstream' as check_name,
        coverage.scope,
        case when coverage.status = 'gone' then coalesce(held.row_count, 0) else 0 end as failing_rows,
        case when coverage.status = 'gone' then 'gone' else 'ok' end as status,
        case
            when coverage.status = 'gone'
                then 'upstream answers that it is not there, so what we hold can only get older'
        end as reason
    from {{ ref('silver_coverage') }} as coverage
    left join {{ ref('silver_source_rows') }} as held
        on coverage.source = held.source and coverage.scope = held.scope
)

select
    check_name,
    scope,
    {{ run_time() }} as checked_at,
    {{ bigint('failing_rows') }} as failing_rows,
    status,
    reason
from checks
