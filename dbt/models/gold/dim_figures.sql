{%- set entries = [] -%}
{%- for model in figure_models() -%}
    {%- for name, figure in model.figures.items() -%}
        {%- do entries.append([name, figure.title, figure.question, figure.unit, figure.better,
            figure.scope_kinds | join(', '), figure.definition, figure.link, figure.sources | join(', ')]) -%}
    {%- endfor -%}
{%- endfor -%}
select
    figure,
    title,
    question,
    unit,
    better,
    scope_kinds,
    definition,
    link,
    sources
from (
    values
    {%- for entry in entries %}
    ({% for text in entry %}cast('{{ text | replace("'", "''") }}' as varchar){{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
    {%- endfor %}
) as listed (figure, title, question, unit, better, scope_kinds, definition, link, sources)
