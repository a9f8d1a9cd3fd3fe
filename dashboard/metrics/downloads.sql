WITH members AS (
    SELECT project, name FROM gold.dim_projects WHERE kind = 'package' AND project IN :projects
),
-- Before its first release, a package counts as zero; after that, a missing day leaves the project without a value.
released AS (
    SELECT scope AS package, CAST(min(released_at) AS date) AS released_on
    FROM gold.fct_releases
    WHERE source = 'pypi'
    GROUP BY scope
),
facts AS (
    SELECT package, date, downloads_7d AS value
    FROM gold.fct_percent_change_downloads_overall
    WHERE category = 'without_mirrors'
),
dates AS (
    SELECT DISTINCT members.project, facts.date FROM members JOIN facts ON members.name = facts.package
),
parts AS (
    SELECT
        dates.project,
        dates.date,
        CASE WHEN facts.package IS NULL AND released.package IS NOT NULL THEN 0 ELSE facts.value END AS value
    FROM dates
    JOIN members ON dates.project = members.project
    LEFT JOIN facts ON members.name = facts.package AND dates.date = facts.date
    LEFT JOIN released ON members.name = released.package AND dates.date < released.released_on
)
SELECT
    project,
    date,
    CASE WHEN count(*) = count(value) THEN sum(value) END AS value
FROM parts
GROUP BY project, date
ORDER BY project, date
