{# The project list as a relation: project, kind, name, position in the list. #}
{% macro listed_projects() -%}
    {%- set listed = var('projects') -%}
    {%- set listed = fromjson(listed) if listed is string else listed -%}
    {%- if listed -%}
        values
        {%- for entry in listed %}
        (
            {%- for key in ('project', 'kind', 'name') -%}
                cast('{{ entry[key] | replace("'", "''") }}' as varchar), {% endfor %}{{ loop.index -}}
        ){{ ',' if not loop.last }}
        {%- endfor -%}
    {%- else -%}
        select cast(null as varchar), cast(null as varchar), cast(null as varchar), cast(null as integer) where false
    {%- endif -%}
{%- endmacro %}
