-- A screen has room for the days of a season; longer periods are drawn by week or month, which also hides the weekly
-- rhythm. Percent changes are medians, since one odd day makes two wild ones.
SELECT
    package,
    CAST(date_trunc(:grain, date) AS date) AS date,
    sum(downloads) AS total,
    avg(downloads) AS downloads,
    median(percent_change_1d) AS percent_change_1d,
    median(percent_change_7d) AS percent_change_7d,
    avg(CASE WHEN downloads_7d > 0 THEN downloads_7d END) AS downloads_7d
FROM gold.fct_percent_change_downloads_overall
WHERE package IN :packages AND category = :category AND date BETWEEN :first AND :last
GROUP BY 1, 2
ORDER BY 1, 2
