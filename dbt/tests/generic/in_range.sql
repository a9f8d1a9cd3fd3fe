{# Rows with a negative figure among `not_negative`, or one outside 0 to 1 among `shares`. #}
{% test in_range(model, not_negative=[], shares=[]) %}
select *
from {{ model }}
where least(0, 0{% for column in not_negative %}, coalesce("{{ column }}", 0){% endfor %}) < 0
{% for column in shares %}or "{{ column }}" not between 0 and 1{% endfor %}
{% endtest %}
