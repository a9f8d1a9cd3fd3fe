SELECT package, date, downloads
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last
ORDER BY package, date
