select min(week) as first, max(week) as last
from gold.fct_figures
where scope_kind = 'project' and figure = $figure and list_contains($projects, scope)
