{# The project list as a relation: project, kind, name. #}
{% macro listed_projects() -%}
    {%- set listed = var('projects') -%}
    {%- set listed = fromjson(listed) if listed is string else listed -%}
    {%- if listed -%}
        values
        {%- for entry in listed %}
        (
            {%- for key in ('project', 'kind', 'name') -%}
                cast('{{ entry[key] | replace("'", "''") }}' as varchar){{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor -%}
    {%- else -%}
        select cast(null as varchar), cast(null as varchar), cast(null as varchar) where false
    {%- endif -%}
{%- endmacro %}
