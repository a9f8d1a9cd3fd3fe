select week, value, n, status, reason
from gold.fct_figures
where scope_kind = 'project' and scope = $project and figure = $figure and week between $first and $last
order by week
