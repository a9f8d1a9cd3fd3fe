SELECT
    days.package,
    days.date,
    days.downloads,
    days.expected,
    days.robust_z,
    -- The latest known break between the first day that this one is compared with and this one.
    (
        SELECT max(breaks.from_date)
        FROM gold.fct_known_breaks AS breaks
        WHERE breaks.source IN ('pypistats', 'pypistats_overall') AND coalesce(breaks.scope, '') IN ('', days.package)
            AND breaks.from_date <= days.date
            AND coalesce(breaks.to_date, breaks.from_date) >= days.date - INTERVAL '56' DAY
    ) AS broken_on
FROM gold.fct_download_anomalies AS days
WHERE days.package IN :packages AND days.category = :category AND days.is_anomaly AND days.date BETWEEN :first AND :last
ORDER BY days.date DESC, days.package
