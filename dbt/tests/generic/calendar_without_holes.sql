{# Rows that the next day, week or month does not follow, but for those of `as_of`. #}
{% test calendar_without_holes(model, per, column, step) %}
{%- set followers = {
    'day': [days_later(column, 1), as_of()],
    'week': [days_later(column, 7), week_of(as_of())],
    'month': [months_later(column, 1), month_of(as_of())],
} %}
with rows_in_order as (
    select
        {{ per | join(', ') }},
        {{ column }},
        lead({{ column }}) over (partition by {{ per | join(', ') }} order by {{ column }}) as follower
    from {{ model }}
)

select *
from rows_in_order
where
    (follower is null and {{ column }} <> {{ followers[step][1] }})
    or follower <> {{ followers[step][0] }}
{% endtest %}
