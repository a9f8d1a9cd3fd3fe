{# source, its bronze table, when a row last changed upstream, what else tells its rows from another source's #}
{% set held = [
    ('github_repo', 'bronze_repo_snapshots', 'landed.updated_at', none),
    ('github_commits', 'bronze_commits', 'landed.committed_at', none),
    ('github_issues', 'bronze_issues', 'landed.updated_at', none),
    ('github_comments', 'bronze_issue_comments', 'landed.updated_at', none),
    ('github_pulls', 'bronze_pulls', 'landed.updated_at', none),
    ('github_releases', 'bronze_releases', 'landed.published_at', none),
    ('pypistats_overall', 'bronze_downloads', 'cast(landed.date as timestamp)', 'overall'),
    ('pypistats_python_minor', 'bronze_downloads', 'cast(landed.date as timestamp)', 'python_minor'),
    ('pypistats_system', 'bronze_downloads', 'cast(landed.date as timestamp)', 'system'),
    ('clickhouse_versions', 'bronze_downloads', 'cast(landed.date as timestamp)', 'version'),
    ('import_versions', 'bronze_downloads', 'cast(landed.date as timestamp)', 'version'),
    ('pypi_releases', 'bronze_package_files', 'landed.uploaded_at', none),
] %}

{% for source, model, changed_at, download_kind in held -%}
{%- set kind = 'package' if model in ('bronze_downloads', 'bronze_package_files') else 'repo' -%}
select
    '{{ source }}' as source,
    scopes.name as scope,
    count(*) as row_count,
    -- A wrong clock upstream must not make a source look alive.
    max(case when {{ changed_at }} < {{ as_of_end() }} then {{ changed_at }} end) as last_event_at
from {{ ref(model) }} as landed
inner join {{ ref('silver_listed_scopes') }} as scopes
    on lower(landed.{{ kind }}) = scopes.match_key and scopes.kind = '{{ kind }}'
{% if download_kind -%}
where landed.kind = '{{ download_kind }}'
{% endif -%}
group by scopes.name
{{ 'union all' if not loop.last }}
{% endfor %}
