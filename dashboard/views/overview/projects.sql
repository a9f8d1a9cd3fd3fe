-- A project's figure covers all its selected repositories or packages: if one is missing, the figure is null.
WITH members AS (
    SELECT project, kind, name
    FROM gold.dim_projects
    WHERE project IN :projects AND (kind = 'package' OR name IN :repos)
),
complete_issues AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_issues' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
complete_answers AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source IN ('github_issues', 'github_comments') AND last_fetched_at IS NOT NULL AND covered_from IS NULL
    GROUP BY scope
    HAVING count(*) = 2
),
complete_commits AS (
    SELECT scope
    FROM gold.fct_data_freshness
    WHERE source = 'github_commits' AND last_fetched_at IS NOT NULL AND covered_from IS NULL
),
snapshots AS (
    SELECT repo, snapshot_date, stargazers_count, max(snapshot_date) OVER (PARTITION BY repo) AS newest
    FROM gold.fct_all_time_base_repo_stats
),
repo_stars AS (
    SELECT
        repo,
        max_by(stargazers_count, snapshot_date) AS now,
        -- The last snapshot of the week that ended 28 days earlier, since days without a run have none.
        max_by(
            CASE WHEN snapshot_date BETWEEN newest - INTERVAL '34' DAY AND newest - INTERVAL '28' DAY THEN stargazers_count END,
            CASE WHEN snapshot_date BETWEEN newest - INTERVAL '34' DAY AND newest - INTERVAL '28' DAY THEN snapshot_date END
        ) AS before
    FROM snapshots
    GROUP BY repo
),
stars AS (
    SELECT
        members.project,
        CASE WHEN count(*) = count(repo_stars.now) THEN sum(repo_stars.now) END AS now,
        CASE WHEN count(*) = count(repo_stars.before) THEN sum(repo_stars.before) END AS before
    FROM members
    LEFT JOIN repo_stars ON members.name = repo_stars.repo
    WHERE members.kind = 'repo'
    GROUP BY members.project
),
package_days AS (
    SELECT package, date, downloads, max(date) OVER (PARTITION BY package) AS newest
    FROM gold.fct_percent_change_downloads_overall
    WHERE category = 'without_mirrors'
),
package_totals AS (
    SELECT
        package,
        max(newest) AS newest,
        CASE WHEN count(CASE WHEN date > newest - INTERVAL '28' DAY THEN 1 END) = 28
            THEN sum(CASE WHEN date > newest - INTERVAL '28' DAY THEN downloads END) END AS last_28,
        CASE WHEN count(CASE WHEN date <= newest - INTERVAL '28' DAY THEN 1 END) = 28
            THEN sum(CASE WHEN date <= newest - INTERVAL '28' DAY THEN downloads END) END AS previous_28
    FROM package_days
    WHERE date > newest - INTERVAL '56' DAY
    GROUP BY package
),
downloads AS (
    SELECT
        members.project,
        max(package_totals.newest) AS newest,
        CASE WHEN count(*) = count(last_28) THEN sum(last_28) END AS last_28,
        CASE WHEN count(*) = count(previous_28) THEN sum(previous_28) END AS previous_28
    FROM members
    LEFT JOIN package_totals ON members.name = package_totals.package
    WHERE members.kind = 'package'
    GROUP BY members.project
),
repo_issues AS (
    SELECT
        repo,
        max(CASE WHEN date = :as_of THEN num_open END) AS now,
        max(CASE WHEN date = :four_weeks_ago THEN num_open END) AS before
    FROM gold.fct_all_time_issues_trend
    WHERE date IN (:as_of, :four_weeks_ago)
    GROUP BY repo
),
-- The table starts with a repository's first issue; before it, none was open.
member_issues AS (
    SELECT
        members.project,
        coalesce(repo_issues.now, CASE WHEN complete_issues.scope IS NOT NULL THEN 0 END) AS now,
        coalesce(repo_issues.before, CASE WHEN complete_issues.scope IS NOT NULL THEN 0 END) AS before
    FROM members
    LEFT JOIN repo_issues ON members.name = repo_issues.repo
    LEFT JOIN complete_issues ON members.name = complete_issues.scope
    WHERE members.kind = 'repo'
),
open_issues AS (
    SELECT
        project,
        CASE WHEN count(*) = count(now) THEN sum(now) END AS now,
        CASE WHEN count(*) = count(before) THEN sum(before) END AS before
    FROM member_issues
    GROUP BY project
),
answer_weeks AS (
    SELECT repo, min(week) AS first_week FROM gold.fct_issue_response GROUP BY repo
),
answered_projects AS (
    SELECT members.project
    FROM members
    LEFT JOIN answer_weeks ON members.name = answer_weeks.repo AND answer_weeks.first_week <= :twelve_weeks_ago
    LEFT JOIN complete_answers ON members.name = complete_answers.scope
    WHERE members.kind = 'repo'
    GROUP BY members.project
    HAVING count(*) = count(coalesce(answer_weeks.repo, complete_answers.scope))
),
weekly_responses AS (
    SELECT
        members.project,
        response.repo,
        response.p50_hours,
        row_number() OVER (PARTITION BY response.repo ORDER BY response.p50_hours NULLS LAST) AS place,
        count(response.p50_hours) OVER (PARTITION BY response.repo) AS weeks,
        sum(response.answered) OVER (PARTITION BY response.repo) AS answered,
        sum(response.issues_opened) OVER (PARTITION BY response.repo) AS opened
    FROM members
    JOIN answered_projects ON members.project = answered_projects.project
    JOIN gold.fct_issue_response AS response ON members.kind = 'repo' AND members.name = response.repo
    WHERE response.week >= :twelve_weeks_ago AND response.week < :this_week
),
middle_response AS (
    SELECT repo, min(project) AS project, min(p50_hours) AS hours, min(answered) AS answered, min(opened) AS opened
    FROM weekly_responses
    WHERE 2 * place BETWEEN weeks AND weeks + 1 AND weeks > 0
    GROUP BY repo
),
slowest_response AS (
    SELECT
        project, repo, hours, answered, opened,
        row_number() OVER (PARTITION BY project ORDER BY hours DESC, repo) AS place
    FROM middle_response
),
-- A repository without commits in the year does not count; one with an incomplete year leaves the project without a factor.
absence AS (
    SELECT
        members.project,
        CASE WHEN count(*) = count(CASE
            WHEN year.repo IS NOT NULL THEN year.contributors
            WHEN complete_commits.scope IS NOT NULL THEN 0
        END) THEN min(year.factor) END AS factor
    FROM members
    LEFT JOIN gold.fct_contributor_absence_factor AS year ON members.name = year.repo AND year.window_days = 365
    LEFT JOIN complete_commits ON members.name = complete_commits.scope
    WHERE members.kind = 'repo'
    GROUP BY members.project
),
ordered_releases AS (
    SELECT
        releases.project, releases.name, releases.scope, releases.released_at,
        row_number() OVER (
            PARTITION BY releases.project ORDER BY releases.released_at DESC, releases.source, releases.scope, releases.name
        ) AS place
    FROM gold.fct_releases AS releases
    WHERE NOT releases.is_prerelease AND NOT releases.is_yanked
        AND (releases.source = 'pypi' OR releases.scope IN :repos)
)
SELECT
    projects.project,
    stars.now AS stars,
    stars.now - stars.before AS stars_change,
    downloads.last_28 AS downloads_28d,
    CASE WHEN downloads.previous_28 > 0
        THEN 100 * (CAST(downloads.last_28 AS double) / downloads.previous_28 - 1) END AS downloads_change,
    downloads.newest AS downloads_until,
    open_issues.now AS open_issues,
    open_issues.now - open_issues.before AS open_issues_change,
    slowest_response.hours AS response_hours,
    slowest_response.repo AS response_of,
    slowest_response.answered AS response_answered,
    slowest_response.opened AS response_opened,
    absence.factor AS absence_factor,
    ordered_releases.name AS last_release,
    ordered_releases.scope AS released_by,
    ordered_releases.released_at
FROM (SELECT DISTINCT project FROM members) AS projects
LEFT JOIN stars ON projects.project = stars.project
LEFT JOIN downloads ON projects.project = downloads.project
LEFT JOIN open_issues ON projects.project = open_issues.project
LEFT JOIN slowest_response ON projects.project = slowest_response.project AND slowest_response.place = 1
LEFT JOIN absence ON projects.project = absence.project
LEFT JOIN ordered_releases ON projects.project = ordered_releases.project AND ordered_releases.place = 1
ORDER BY projects.project
