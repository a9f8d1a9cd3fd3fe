{# A time that can be: clocks that were never set give the start of the epoch. Null for one that cannot. #}
{% macro possible(moment) -%}
    case when {{ moment }} >= timestamp '1970-01-02 00:00:00' then {{ moment }} end
{%- endmacro %}
