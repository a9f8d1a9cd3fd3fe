SELECT
    releases.package,
    releases.version,
    releases.released_at,
    releases.downloads_7d_before,
    releases.downloads_7d_after,
    releases.uplift_percent,
    -- The latest known break between the first of the seven days before and the last of the seven after.
    (
        SELECT max(breaks.from_date)
        FROM gold.fct_known_breaks AS breaks
        WHERE breaks.source IN ('pypistats', 'pypistats_overall') AND coalesce(breaks.scope, '') IN ('', releases.package)
            AND breaks.from_date <= CAST(releases.released_at AS date) + INTERVAL '7' DAY
            AND coalesce(breaks.to_date, breaks.from_date) >= CAST(releases.released_at AS date) - INTERVAL '6' DAY
    ) AS broken_on
FROM gold.fct_release_uplift AS releases
WHERE releases.package IN :packages AND CAST(releases.released_at AS date) BETWEEN :first AND :last
ORDER BY releases.released_at DESC, releases.package, releases.version
