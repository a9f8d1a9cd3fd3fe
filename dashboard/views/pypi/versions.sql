-- Each day's shares sum to 1, so dividing by the number of days keeps the sum; a name that appeared meanwhile had no share
-- before.
WITH spans AS (
    SELECT CAST(date_trunc(:grain, date) AS date) AS date, version, sum(share) AS share, sum(downloads) AS downloads
    FROM gold.fct_downloads_by_version
    WHERE package = :package AND date BETWEEN :first AND :last
    GROUP BY 1, 2
)
SELECT date, version, share / sum(share) OVER (PARTITION BY date) AS share, downloads
FROM spans
ORDER BY 1, 2
