{#
    Nearest-rank percentile inside a group: the value at position ceil(percent / 100 * n). The rows carry
    `position` (1 is the smallest) and `n`. Whole numbers only, so that no rounding can move the position.
#}
{% macro nearest_rank(value, percent, position='position', n='n') -%}
    max(case
        when 100 * {{ position }} >= {{ percent }} * {{ n }} and 100 * ({{ position }} - 1) < {{ percent }} * {{ n }}
            then {{ value }}
    end)
{%- endmacro %}

{# 100 * (current / previous - 1); null when previous is 0 or missing. #}
{% macro percent_change(current, previous) -%}
    100e0 * (cast({{ current }} as double) / nullif({{ previous }}, 0) - 1)
{%- endmacro %}

{# part / whole, 0 to 1; null when whole is 0 or missing. #}
{% macro share(part, whole) -%}
    cast({{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}

{% macro bigint(value) -%}
    cast({{ value }} as bigint)
{%- endmacro %}

{# What the model's column that ends with `suffix` says of the row's figure; a status and its reason are null if the model gives none. #}
{% macro of_figure(figures, suffix, kind) -%}
    case listed.figure
        {%- for name, figure in figures.items() %}
            when '{{ name }}' then cast({{
                'wide.' ~ name ~ suffix if figure.has_status or suffix not in ('_status', '_reason') else 'null'
            }} as {{ kind }})
        {%- endfor %}
    end
{%- endmacro %}
