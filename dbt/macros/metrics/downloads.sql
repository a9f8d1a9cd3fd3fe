{# pypistats has the text null where the client did not say. #}
{% macro category_or_unknown(category) -%}
    case when {{ category }} = 'null' then 'unknown' else {{ category }} end
{%- endmacro %}
