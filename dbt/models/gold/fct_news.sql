{# What pages and the digest tell of the last four weeks. #}
with projects as (
    select * from {{ ref('silver_listed_scopes') }}
),

releases as (
    select * from {{ ref('fct_project_releases') }}
),

anomalies as (
    select * from {{ ref('fct_download_anomalies') }}
),

commits as (
    select * from {{ ref('silver_scope_commits') }}
    where scope_kind = 'project'
),

people as (
    select * from {{ ref('silver_people') }}
),

backlog as (
    select
        repo,
        week,
        {{ days_later('week', 6) }} as ended_on,
        backlog_index,
        lag(backlog_index) over (partition by repo order by week) as index_before
    from {{ ref('fct_issue_backlog') }}
),

first_commits as (
    select
        scope as project,
        person_key,
        min(happened_on) as happened_on
    from commits
    where is_known and not is_bot
    group by scope, person_key
    -- Of a history that is cut, no commit is known to be anybody's first.
    having bool_and(is_from_whole_history)
),

news as (
    select
        project,
        project as scope,
        'release' as kind,
        {{ day_of('released_at') }} as happened_on,
        version as subject,
        cast(null as double) as value,
        cast(null as double) as usual
    from releases

    union all

    select
        projects.project,
        anomalies.package as scope,
        'unusual_downloads' as kind,
        anomalies.date as happened_on,
        anomalies.package as subject,
        cast(anomalies.downloads as double) as value,
        anomalies.expected as usual
    from anomalies
    inner join projects on projects.kind = 'package' and anomalies.package = projects.name
    where anomalies.is_anomaly and anomalies.category = 'without_mirrors'

    union all

    -- Grew at the end of a whole week and shrank a week earlier, or the other way round.
    select
        projects.project,
        backlog.repo as scope,
        case when backlog.backlog_index < 1 then 'backlog_grows' else 'backlog_shrinks' end as kind,
        backlog.ended_on as happened_on,
        backlog.repo as subject,
        backlog.backlog_index as value,
        backlog.index_before as usual
    from backlog
    inner join projects on projects.kind = 'repo' and backlog.repo = projects.name
    where
        backlog.ended_on <= {{ as_of() }}
        and (
            (backlog.backlog_index < 1 and backlog.index_before >= 1)
            or (backlog.backlog_index > 1 and backlog.index_before <= 1)
        )

    union all

    select
        first_commits.project,
        first_commits.project as scope,
        'newcomer' as kind,
        first_commits.happened_on,
        people.person as subject,
        cast(null as double) as value,
        cast(null as double) as usual
    from first_commits
    inner join people on first_commits.person_key = people.person_key
)

select
    project,
    scope,
    kind,
    happened_on,
    subject,
    value,
    usual
from news
where happened_on between {{ days_later(as_of(), -27) }} and {{ as_of() }}
