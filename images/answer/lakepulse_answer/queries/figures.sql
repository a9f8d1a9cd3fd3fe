select figure, title, question, unit, better, definition, link, window_days, scope_kinds, sources, headline
from gold.dim_figures
order by figure
