{# The UTC date, the Monday and the first of the month of a timestamp or date. #}
{% macro day_of(value) -%}
    cast({{ value }} as date)
{%- endmacro %}

{% macro week_of(value) -%}
    cast(date_trunc('week', {{ value }}) as date)
{%- endmacro %}

{% macro month_of(value) -%}
    cast(date_trunc('month', {{ value }}) as date)
{%- endmacro %}

{# Whether a period that starts with `day` is fully covered; `covered_date` is null when all history is. #}
{% macro is_covered(day, covered_date) -%}
    ({{ covered_date }} is null or {{ day }} >= {{ covered_date }})
{%- endmacro %}

{# A figure over all history: null when the history that we hold is cut. #}
{% macro unless_cut(figure, covered_date) -%}
    case when {{ covered_date }} is null then {{ figure }} end
{%- endmacro %}
