SELECT figure, title, question, unit, better, scope_kinds, definition, link, sources, window_days, headline
FROM gold.dim_figures
