{# finding, why its rows are left out #}
{% set findings = [
    ('after_as_of', 'dated after the end of as_of'),
    ('without_time', 'no date to count it by'),
    ('removed_upstream', 'deleted or transferred upstream, or no longer on the default branch'),
    ('impossible_value', 'a date or value that cannot be used; the rest of the row counts'),
] %}

with scopes as (
    select
        kind,
        name as scope,
        match_key
    from {{ ref('silver_listed_scopes') }}
),

counts as (
    {%- for table in raw_tables() %}
    select
        '{{ table.label }}' as subject,
        scopes.scope,
        count(*) filter (
            where false
            {%- for moment in table.moments %}
            or cast(landed.{{ moment }} as timestamp(6)) >= {{ as_of_end() }}
            {%- endfor %}
        ) as after_as_of,
        count(*) filter (
            where landed.load_seq is not null
            and (landed.{{ table.counted_by | join(' is null or landed.') }} is null)
            {%- if table.undated_if is not none %}
            and not landed.{{ table.undated_if }}
            {%- endif %}
        ) as without_time,
        count(*) filter (
            where {{ 'false' if table.removal is none else 'landed.' ~ table.removal ~ ' = ' ~ (table.gone_value | lower) }}
        ) as removed_upstream,
        count(*) filter (
            where landed.odd is not null
            {%- for moment in table.moments %}
            or cast(landed.{{ moment }} as timestamp(6)) < timestamp '1970-01-02 00:00:00'
            {%- endfor %}
        ) as impossible_value
    from scopes
    left join {{ ref('bronze_' ~ table.name) }} as landed on scopes.match_key = lower(landed.{{ table.scope }})
    where scopes.kind = '{{ table.scope }}'
    group by scopes.scope
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

quarantined as (
    select
        source,
        lower(scope) as match_key,
        coalesce(kind = 'landing', false) as is_landing,
        coalesce(reason, 'no reason given') as reason,
        sum(coalesce(row_count, 1)) as num_rows
    from {{ ref('bronze_quarantine') }}
    where resolved_at is null
    group by source, lower(scope), coalesce(kind = 'landing', false), coalesce(reason, 'no reason given')
),

by_frequency as (
    select
        *,
        row_number() over (
            partition by source, match_key, is_landing order by num_rows desc, reason asc
        ) as position
    from quarantined
),

held_back as (
    select
        sources.source,
        scopes.scope,
        kinds.is_landing,
        coalesce(sum(held.num_rows), 0) as failing_rows,
        max(case when held.position = 1 then held.reason end) as reason
    from scopes
    inner join {{ ref('sources') }} as sources on scopes.kind = sources.kind
    cross join (values (false), (true)) as kinds (is_landing)
    left join by_frequency as held
        on
            sources.source = held.source
            and scopes.match_key = held.match_key
            and kinds.is_landing = held.is_landing
    group by sources.source, scopes.scope, kinds.is_landing
),

-- They count in totals, and in no time that something took.
not_judged as (
    select
        'issues' as subject,
        repo as scope,
        count(*) filter (where not is_judged or is_closed_before_opened) as num_rows
    from {{ ref('silver_issue_responses') }}
    group by repo

    union all

    select
        'pull_requests' as subject,
        repo as scope,
        count(*) filter (where is_imported or merged_at < created_at) as num_rows
    from {{ ref('silver_change_requests') }}
    where is_counted
    group by repo
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
        subject || '_not_judged' as check_name,
        scope,
        num_rows as failing_rows,
        case when num_rows = 0 then 'ok' else 'left_out' end as status,
        case when num_rows > 0 then 'older than its repository, or answered, closed or merged before it was opened' end as reason
    from not_judged

    union all

    select
        -- Lines that could not be typed, or a whole scope that a load refused.
        source || case when is_landing then '_held_back' else '_quarantined' end as check_name,
        scope,
        failing_rows,
        case when failing_rows = 0 then 'ok' else 'held_back' end as status,
        reason
    from held_back

    union all

    -- What we hold of it stays, and can only get older.
    select
        coverage.source || '_gone_upstream' as check_name,
        coverage.scope,
        case when coverage.status = 'ok' then 0 else coalesce(held.row_count, 0) end as failing_rows,
        coverage.status,
        case coverage.status
            when 'gone' then 'not found upstream, so what we hold can only get older'
            when 'closed' then 'closed upstream: ' || coalesce(coverage.status_detail, 'no reason given')
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
