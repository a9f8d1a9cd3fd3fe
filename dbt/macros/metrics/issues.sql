{# Issues that count, with the date from which the repo's list of issues is complete (null: all history). #}
{% macro counted_issues() -%}
    select
        issues.*,
        coverage.issues_from
    from {{ ref('silver_issues') }} as issues
    left join {{ ref('silver_repo_coverage') }} as coverage on issues.repo = coverage.repo
    where issues.is_counted
{%- endmacro %}
