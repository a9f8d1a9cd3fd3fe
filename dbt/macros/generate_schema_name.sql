{# Schemas are named by layer alone, so that publish and readers find them on either engine. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- custom_schema_name | trim if custom_schema_name else target.schema -}}
{%- endmacro %}

{# dbt needs unique model names; a layer's tables are named for what they hold: bronze_issues is bronze.issues. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- set name = custom_alias_name | trim if custom_alias_name else node.name -%}
    {%- set layer = node.config.get('schema') if node is not none else none -%}
    {{- name[(layer | length) + 1:] if layer and name.startswith(layer ~ '_') else name -}}
{%- endmacro %}
