{% set entries = [] %}
{% for model in figure_models() %}
{% for name, figure in model.figures.items() %}
{% do entries.append([
    name, figure.title, figure.question, figure.unit, figure.better, figure.scope_kinds | join(', '), figure.definition, figure.link,
    figure.sources | join(', '), figure.window_days, figure.headline
]) %}
{% endfor %}
{% endfor %}

select
    figure,
    title,
    question,
    unit,
    better,
    scope_kinds,
    definition,
    link,
    sources,
    window_days,
    headline
from (
    values
    {%- for entry in entries %}
    (
        {%- for part in entry %}
        {%- if part is string %}cast('{{ part | replace("'", "''") }}' as varchar)
        {%- else %}cast({{ 'null' if part is none else part }} as bigint)
        {%- endif %}{{ ', ' if not loop.last }}
        {%- endfor -%}
    ){{ ',' if not loop.last }}
    {%- endfor %}
) as listed (figure, title, question, unit, better, scope_kinds, definition, link, sources, window_days, headline)
