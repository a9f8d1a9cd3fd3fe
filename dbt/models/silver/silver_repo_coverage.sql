with repos as (
    select name as repo
    from {{ ref('silver_listed_scopes') }}
    where kind = 'repo'
),

coverage as (
    select
        scope,
        source,
        covered_date,
        last_fetched_at
    from {{ ref('silver_coverage') }}
    where kind = 'repo'
)

select
    {%- for source in raw_sources() if source.scope == 'repo' %}
    -- Of a list that was never fetched no day is covered: an issue without comments would seem to have no answer.
    case
        when count(case when coverage.source = '{{ source.name }}' then coverage.last_fetched_at end) = 0
            then {{ days_later(as_of(), 1) }}
        else max(case when coverage.source = '{{ source.name }}' then coverage.covered_date end)
    end as {{ source.name | replace('github_', '') }}_from,
    {%- endfor %}
    repos.repo
from repos
left join coverage on repos.repo = coverage.scope
group by repos.repo
