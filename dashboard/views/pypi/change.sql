SELECT package, date, percent_change_1d, percent_change_7d
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last
ORDER BY package, date
