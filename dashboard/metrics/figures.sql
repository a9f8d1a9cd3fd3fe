SELECT figure, title, question, unit, better, scope_kinds, definition, link, sources, window_days, headline
FROM gold.dim_figures
ORDER BY CASE question WHEN 'alive' THEN 1 WHEN 'carried' THEN 2 WHEN 'answered' THEN 3 ELSE 4 END, title
