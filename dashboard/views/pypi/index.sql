SELECT
    package,
    date,
    downloads_7d,
    100 * CAST(downloads_7d AS double)
        / first_value(downloads_7d) OVER (PARTITION BY package ORDER BY date) AS download_index
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last AND downloads_7d > 0
ORDER BY package, date
