{#
    A raw table's rows at the snapshot that the run reads (`raw_snapshots`: table to snapshot id), so that all
    models see one state. On DuckDB the plugin does this.
#}
{% macro raw_rows(table) -%}
    {%- set relation = source('raw', table) -%}
    {{- adapter.dispatch('raw_rows')(relation, table) -}}
{%- endmacro %}

{% macro duckdb__raw_rows(relation, table) -%}
    {{- relation -}}
{%- endmacro %}

{% macro trino__raw_rows(relation, table) -%}
    {%- set snapshots = var('raw_snapshots') -%}
    {%- if snapshots is none or not execute -%}
        {{- relation -}}
    {%- elif table not in snapshots -%}
        {{- no_rows(table) -}}
    {%- elif snapshots[table] is none -%}
        {{- relation -}}
    {%- else -%}
        {{- relation }} for version as of {{ snapshots[table] -}}
    {%- endif -%}
{%- endmacro %}

{# A raw table without any load yet: no rows, the columns that the source declares. #}
{% macro no_rows(table) -%}
    {%- set declared = graph.sources.values() | selectattr('source_name', 'equalto', 'raw')
        | selectattr('name', 'equalto', table) | first -%}
    (
        select
            {%- for column in declared.columns.values() %}
            cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        where false
    ) as nothing_yet
{%- endmacro %}
