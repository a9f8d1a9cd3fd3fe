{# Where the engines differ about text. Patterns are POSIX-like, without look-around, which DuckDB's engine lacks. #}

{# whether a pattern is found in a text #}
{% macro matches(value, pattern) -%}
    {{- adapter.dispatch('matches')(value, pattern) -}}
{%- endmacro %}

{% macro duckdb__matches(value, pattern) -%}
    regexp_matches({{ value }}, '{{ pattern }}')
{%- endmacro %}

{% macro trino__matches(value, pattern) -%}
    regexp_like({{ value }}, '{{ pattern }}')
{%- endmacro %}


{# what a group of a pattern catches in a text; null where nothing does #}
{% macro caught(value, pattern, group) -%}
    nullif(regexp_extract({{ value }}, '{{ pattern }}', {{ group }}), '')
{%- endmacro %}


{# the text with every match replaced; `\1` stands for the first group #}
{% macro replaced(value, pattern, replacement) -%}
    {{- adapter.dispatch('replaced')(value, pattern, replacement) -}}
{%- endmacro %}

{% macro duckdb__replaced(value, pattern, replacement) -%}
    regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro trino__replaced(value, pattern, replacement) -%}
    regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement | replace("\\", "$") }}')
{%- endmacro %}


{# a short text that tells values apart without giving them away #}
{% macro digest(value) -%}
    {{- adapter.dispatch('digest')(value) -}}
{%- endmacro %}

{% macro duckdb__digest(value) -%}
    md5({{ value }})
{%- endmacro %}

{% macro trino__digest(value) -%}
    lower(to_hex(md5(to_utf8({{ value }}))))
{%- endmacro %}


{# an aggregate: texts in their order, with a separator between them #}
{% macro joined(value, separator) -%}
    {{- adapter.dispatch('joined')(value, separator) -}}
{%- endmacro %}

{% macro duckdb__joined(value, separator) -%}
    string_agg({{ value }}, '{{ separator }}' order by {{ value }})
{%- endmacro %}

{% macro trino__joined(value, separator) -%}
    listagg({{ value }}, '{{ separator }}') within group (order by {{ value }})
{%- endmacro %}


{# a whole number with a comma between thousands #}
{% macro thousands(value) -%}
    {{- adapter.dispatch('thousands')(value) -}}
{%- endmacro %}

{% macro duckdb__thousands(value) -%}
    format('{:,}', cast({{ value }} as bigint))
{%- endmacro %}

{% macro trino__thousands(value) -%}
    format('%,d', cast({{ value }} as bigint))
{%- endmacro %}
