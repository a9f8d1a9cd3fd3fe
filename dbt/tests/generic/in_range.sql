{# Rows with a negative figure among `not_negative`, or one outside 0 to 1 among `shares`. #}
{% test in_range(model, not_negative=[], shares=[]) %}
select *
from {{ model }}
where
    false
    {%- for column in not_negative %}
    or "{{ column }}" < 0
    {%- endfor %}
    {%- for column in shares %}
    or "{{ column }}" not between 0 and 1
    {%- endfor %}
{% endtest %}
