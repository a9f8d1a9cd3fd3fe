{# Where the engines differ about time. Every session is UTC; gold's timestamps carry no zone. #}

{# timestamp with time zone -> timestamp, in UTC #}
{% macro utc_timestamp(value) -%}
    {{- adapter.dispatch('utc_timestamp')(value) -}}
{%- endmacro %}

{% macro duckdb__utc_timestamp(value) -%}
    timezone('UTC', cast({{ value }} as timestamp with time zone))
{%- endmacro %}

{% macro trino__utc_timestamp(value) -%}
    cast({{ value }} at time zone 'UTC' as timestamp(6))
{%- endmacro %}


{# date + whole days -> date; `days` may be negative or a column #}
{% macro days_later(day, days) -%}
    {{- adapter.dispatch('days_later')(day, days) -}}
{%- endmacro %}

{% macro duckdb__days_later(day, days) -%}
    ({{ day }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro trino__days_later(day, days) -%}
    date_add('day', {{ days }}, {{ day }})
{%- endmacro %}


{# first day of a month + whole months -> date #}
{% macro months_later(month, months) -%}
    {{- adapter.dispatch('months_later')(month, months) -}}
{%- endmacro %}

{% macro duckdb__months_later(month, months) -%}
    cast({{ month }} + to_months({{ months }}) as date)
{%- endmacro %}

{% macro trino__months_later(month, months) -%}
    date_add('month', {{ months }}, {{ month }})
{%- endmacro %}


{# seconds from one timestamp to another, double, negative if the second is earlier #}
{% macro seconds_between(earlier, later) -%}
    {{- adapter.dispatch('seconds_between')(earlier, later) -}}
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    ((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1e6)
{%- endmacro %}

{% macro trino__seconds_between(earlier, later) -%}
    (to_unixtime({{ later }}) - to_unixtime({{ earlier }}))
{%- endmacro %}
