{# Written by `make render` from spark_apps/tables and the register lakepulse/sources.py; edit it there. #}

{# The raw tables: what their rows are about, and which of their columns say when something happened. #}
{% macro raw_tables() -%}
    {{ return([
        {'name': 'repo_snapshots', 'label': 'repo_snapshots', 'scope': 'repo', 'counted_by': ['snapshot_date'], 'moments': ['snapshot_date'], 'undated_if': none, 'removal': none, 'gone_value': none},
        {'name': 'commits', 'label': 'commits', 'scope': 'repo', 'counted_by': ['authored_at', 'committed_at'], 'moments': ['authored_at', 'committed_at'], 'undated_if': none, 'removal': 'is_reachable', 'gone_value': false},
        {'name': 'issues', 'label': 'issues', 'scope': 'repo', 'counted_by': ['created_at'], 'moments': ['created_at', 'updated_at', 'closed_at'], 'undated_if': none, 'removal': 'is_deleted', 'gone_value': true},
        {'name': 'issue_comments', 'label': 'comments', 'scope': 'repo', 'counted_by': ['created_at'], 'moments': ['created_at'], 'undated_if': none, 'removal': 'is_deleted', 'gone_value': true},
        {'name': 'pulls', 'label': 'pull_requests', 'scope': 'repo', 'counted_by': ['created_at'], 'moments': ['created_at', 'closed_at', 'merged_at'], 'undated_if': none, 'removal': 'is_deleted', 'gone_value': true},
        {'name': 'releases', 'label': 'releases', 'scope': 'repo', 'counted_by': ['published_at'], 'moments': ['published_at'], 'undated_if': 'is_draft', 'removal': 'is_deleted', 'gone_value': true},
        {'name': 'downloads', 'label': 'downloads', 'scope': 'package', 'counted_by': ['date'], 'moments': ['date'], 'undated_if': none, 'removal': none, 'gone_value': none},
        {'name': 'package_files', 'label': 'package_files', 'scope': 'package', 'counted_by': ['uploaded_at'], 'moments': ['uploaded_at'], 'undated_if': none, 'removal': 'is_deleted', 'gone_value': true},
    ]) }}
{%- endmacro %}

{# The sources, with the raw table that each fills. #}
{% macro raw_sources() -%}
    {{ return([
        {'name': 'github_repo', 'table': 'repo_snapshots', 'scope': 'repo', 'kind': none, 'newest_by': 'updated_at'},
        {'name': 'github_commits', 'table': 'commits', 'scope': 'repo', 'kind': none, 'newest_by': 'committed_at'},
        {'name': 'github_issues', 'table': 'issues', 'scope': 'repo', 'kind': none, 'newest_by': 'updated_at'},
        {'name': 'github_comments', 'table': 'issue_comments', 'scope': 'repo', 'kind': none, 'newest_by': 'updated_at'},
        {'name': 'github_pulls', 'table': 'pulls', 'scope': 'repo', 'kind': none, 'newest_by': 'updated_at'},
        {'name': 'github_releases', 'table': 'releases', 'scope': 'repo', 'kind': none, 'newest_by': 'published_at'},
        {'name': 'pypistats_overall', 'table': 'downloads', 'scope': 'package', 'kind': 'overall', 'newest_by': 'date'},
        {'name': 'pypistats_python_minor', 'table': 'downloads', 'scope': 'package', 'kind': 'python_minor', 'newest_by': 'date'},
        {'name': 'pypistats_system', 'table': 'downloads', 'scope': 'package', 'kind': 'system', 'newest_by': 'date'},
        {'name': 'clickhouse_versions', 'table': 'downloads', 'scope': 'package', 'kind': 'version', 'newest_by': 'date'},
        {'name': 'import_versions', 'table': 'downloads', 'scope': 'package', 'kind': 'version', 'newest_by': 'date'},
        {'name': 'pypi_releases', 'table': 'package_files', 'scope': 'package', 'kind': none, 'newest_by': 'uploaded_at'},
    ]) }}
{%- endmacro %}

{# The first date that a raw table can hold. #}
{% macro earliest_date() -%}
    cast('1970-01-02' as date)
{%- endmacro %}
