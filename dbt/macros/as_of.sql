{# The run's date, `YYYY-MM-DD`. #}
{% macro as_of_text() -%}
    {{- var('as_of') or run_started_at.strftime('%Y-%m-%d') -}}
{%- endmacro %}

{# The run's date. #}
{% macro as_of() -%}
    cast('{{ as_of_text() }}' as date)
{%- endmacro %}

{# The first moment after `as_of`: an event counts when it is before this. #}
{% macro as_of_end() -%}
    {%- set day = modules.datetime.date.fromisoformat(as_of_text()) -%}
    cast('{{ day + modules.datetime.timedelta(days=1) }} 00:00:00' as timestamp)
{%- endmacro %}

{# When dbt started: a run's one clock, for the tables about freshness. #}
{% macro run_time() -%}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp(6))
{%- endmacro %}
