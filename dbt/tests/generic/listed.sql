{# Rows of a repo or package that is not in the project list. #}
{% test listed(model, column, kind) %}
select model.{{ column }}
from {{ model }} as model
left join {{ ref('silver_listed_scopes') }} as scopes on model.{{ column }} = scopes.name and scopes.kind = '{{ kind }}'
where scopes.name is null
{% endtest %}
