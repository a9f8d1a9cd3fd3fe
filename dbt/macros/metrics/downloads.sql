{# pypistats spells a client that did not say with the text null. #}
{% macro category_or_unknown(category) -%}
    case when {{ category }} = 'null' then 'unknown' else {{ category }} end
{%- endmacro %}
