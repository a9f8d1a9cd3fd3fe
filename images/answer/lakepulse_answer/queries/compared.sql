select scope as project, week, value, n, status, reason
from gold.fct_figures
where scope_kind = 'project' and figure = $figure and week = $week and list_contains($projects, scope)
order by value desc nulls last, scope
