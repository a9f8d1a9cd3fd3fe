{# source, its bronze table, and what else tells its rows from another source's in the same table #}
{% set held = [
    ('github_repo', 'bronze_repo_snapshots', none),
    ('github_commits', 'bronze_commits', none),
    ('github_issues', 'bronze_issues', none),
    ('github_comments', 'bronze_issue_comments', none),
    ('github_pulls', 'bronze_pulls', none),
    ('github_releases', 'bronze_releases', none),
    ('pypistats_overall', 'bronze_downloads', "landed.kind = 'overall'"),
    ('pypistats_python_minor', 'bronze_downloads', "landed.kind = 'python_minor'"),
    ('pypistats_system', 'bronze_downloads', "landed.kind = 'system'"),
    ('clickhouse_versions', 'bronze_downloads', "landed.kind = 'version'"),
    ('import_versions', 'bronze_downloads', "landed.kind = 'version'"),
    ('pypi_releases', 'bronze_package_files', none),
] %}

{% for source, model, condition in held -%}
{%- set kind = 'package' if model in ('bronze_downloads', 'bronze_package_files') else 'repo' -%}
select
    '{{ source }}' as source,
    scopes.name as scope,
    count(*) as row_count
from {{ ref(model) }} as landed
inner join {{ ref('silver_listed_scopes') }} as scopes
    on lower(landed.{{ kind }}) = scopes.match_key and scopes.kind = '{{ kind }}'
{% if condition -%}
where {{ condition }}
{% endif -%}
group by scopes.name
{{ 'union all' if not loop.last }}
{% endfor %}
