{# Written by `make render` from `config: meta: figures` of the models; edit it there. #}
{% macro figure_models() -%}
    {{- return([
    {
        "model": "silver_figures_commits",
        "figures": {
            "commits_28d": {
                "title": "Commits in 28 days",
                "question": "alive",
                "unit": "commits",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 28,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Commits by people whose author date lies in the 28 days. A commit in two repositories counts once.",
                "link": "https://chaoss.community/kb/metric-code-changes-commits/"
            },
            "commits_365d": {
                "title": "Commits in a year",
                "question": "alive",
                "unit": "commits",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 365,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Commits by people whose author date lies in the 365 days. A commit in two repositories counts once.",
                "link": "https://chaoss.community/kb/metric-code-changes-commits/"
            },
            "active_people_28d": {
                "title": "People active in 28 days",
                "question": "alive",
                "unit": "people",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 28,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "People with a commit whose author date lies in the 28 days. Bots are left out.",
                "link": "https://chaoss.community/kb/metric-contributors/"
            },
            "active_people_365d": {
                "title": "People active in a year",
                "question": "alive",
                "unit": "people",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 365,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "People with a commit whose author date lies in the 365 days. Bots are left out.",
                "link": "https://chaoss.community/kb/metric-contributors/"
            },
            "absence_factor_365d": {
                "title": "Absence factor",
                "question": "carried",
                "unit": "people",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 365,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": 7,
                "definition": "The fewest people who made half of the commits by people in the 365 days.",
                "link": "https://chaoss.community/kb/metric-contributor-absence-factor/"
            },
            "top_share_365d": {
                "title": "Share of the most active person",
                "question": "carried",
                "unit": "share",
                "better": "down",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 365,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Of the commits by people in the 365 days, the share of the one who made most.",
                "link": "https://chaoss.community/kb/metric-contributor-absence-factor/"
            },
            "new_people_90d": {
                "title": "New people in 90 days",
                "question": "carried",
                "unit": "people",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 90,
                "sources": [
                    "github_commits"
                ],
                "needs_history": true,
                "has_status": false,
                "headline": none,
                "definition": "People whose first commit, by author date, lies in the 90 days. Bots are left out.",
                "link": "https://chaoss.community/kb/metric-new-contributors/"
            },
            "bot_share_365d": {
                "title": "Share of bots",
                "question": "carried",
                "unit": "share",
                "better": "neither",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 365,
                "sources": [
                    "github_commits"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Of all commits in the 365 days, the share that bots made.",
                "link": "https://chaoss.community/kb/metric-bot-activity/"
            }
        }
    },
    {
        "model": "silver_figures_releases",
        "figures": {
            "releases_365d": {
                "title": "Releases in a year",
                "question": "alive",
                "unit": "releases",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "package",
                    "project"
                ],
                "window_days": 365,
                "sources": [
                    "github_releases",
                    "pypi_releases"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Final versions first published in the 365 days. A version on both PyPI and GitHub counts once; one whose files on PyPI are all yanked does not count.",
                "link": "https://chaoss.community/kb/metric-release-frequency/"
            },
            "days_since_release": {
                "title": "Days since the last release",
                "question": "alive",
                "unit": "days",
                "better": "down",
                "scope_kinds": [
                    "repo",
                    "package",
                    "project"
                ],
                "window_days": 1,
                "sources": [
                    "github_releases",
                    "pypi_releases"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": 8,
                "definition": "Whole days since the newest final version.",
                "link": "https://chaoss.community/kb/metric-release-frequency/"
            }
        }
    },
    {
        "model": "silver_figures_issues",
        "figures": {
            "open_issues": {
                "title": "Open issues",
                "question": "answered",
                "unit": "issues",
                "better": "neither",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 1,
                "sources": [
                    "github_issues"
                ],
                "needs_history": true,
                "has_status": true,
                "headline": 3,
                "definition": "Issues open at the end of the week, excluding pull requests.",
                "link": "https://chaoss.community/kb/metric-issues-active/"
            },
            "answered_7d_share_12w": {
                "title": "Answered within 7 days",
                "question": "answered",
                "unit": "share",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 91,
                "sources": [
                    "github_issues",
                    "github_comments"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": 4,
                "definition": "Of the issues that people opened in the 84 days that end 7 days before the end of the week, the share with a first comment by somebody else, not a bot, within 7 days.",
                "link": "https://chaoss.community/kb/metric-time-to-first-response/"
            },
            "first_response_median_hours_12w": {
                "title": "Median time to first response",
                "question": "answered",
                "unit": "hours",
                "better": "down",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 91,
                "sources": [
                    "github_issues",
                    "github_comments"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": 5,
                "definition": "Median hours to the first answer of the same issues. An unanswered issue counts as longer than any other; there is no median when half or more have no answer.",
                "link": "https://chaoss.community/kb/metric-time-to-first-response/"
            },
            "closed_per_opened_12w": {
                "title": "Issues closed per opened",
                "question": "answered",
                "unit": "ratio",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 84,
                "sources": [
                    "github_issues"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": 6,
                "definition": "Issues closed in the 84 days per issue opened in them. Those closed as not planned or as duplicates do not count as closed.",
                "link": "https://chaoss.community/kb/metric-issues-closed/"
            }
        }
    },
    {
        "model": "silver_figures_change_requests",
        "figures": {
            "merge_median_days_12w": {
                "title": "Median time to merge",
                "question": "answered",
                "unit": "days",
                "better": "down",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 84,
                "sources": [
                    "github_pulls"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Of the pull requests by people that were merged in the 84 days, the median days from opening to merge.",
                "link": "https://chaoss.community/kb/metric-change-requests-duration/"
            },
            "acceptance_12w": {
                "title": "Pull requests accepted",
                "question": "answered",
                "unit": "share",
                "better": "neither",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 84,
                "sources": [
                    "github_pulls"
                ],
                "needs_history": false,
                "has_status": false,
                "headline": none,
                "definition": "Of the pull requests by people that ended in the 84 days, the share that was merged.",
                "link": "https://chaoss.community/kb/metric-change-requests-acceptance-ratio/"
            }
        }
    },
    {
        "model": "silver_figures_stars",
        "figures": {
            "stars": {
                "title": "Stars",
                "question": "adopted",
                "unit": "stars",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 1,
                "sources": [
                    "github_repo"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": 1,
                "definition": "Stars at the end of the week, from the last snapshot in its last 7 days.",
                "link": "https://chaoss.community/kb/metric-project-popularity/"
            },
            "stars_gained_28d": {
                "title": "Stars gained in 28 days",
                "question": "adopted",
                "unit": "stars",
                "better": "up",
                "scope_kinds": [
                    "repo",
                    "project"
                ],
                "window_days": 28,
                "sources": [
                    "github_repo"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": none,
                "definition": "Stars at the end of the week minus those of 28 days before.",
                "link": "https://chaoss.community/kb/metric-project-popularity/"
            }
        }
    },
    {
        "model": "silver_figures_downloads",
        "figures": {
            "downloads_per_day_28d": {
                "title": "Downloads per day",
                "question": "adopted",
                "unit": "downloads a day",
                "better": "up",
                "scope_kinds": [
                    "package",
                    "project"
                ],
                "window_days": 28,
                "sources": [
                    "pypistats_overall"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": 2,
                "definition": "Mean of the known days among the last 28, without mirrors, summed over packages. A day counts if each package has data for it or was not released yet.",
                "link": "https://chaoss.community/kb/metric-project-popularity/"
            },
            "downloads_change_year": {
                "title": "Downloads compared with a year ago",
                "question": "adopted",
                "unit": "percent",
                "better": "up",
                "scope_kinds": [
                    "package",
                    "project"
                ],
                "window_days": 28,
                "sources": [
                    "pypistats_overall"
                ],
                "needs_history": false,
                "has_status": true,
                "headline": none,
                "definition": "Percent change in downloads per day from the 28 days that ended 364 days earlier.",
                "link": "https://chaoss.community/kb/metric-project-popularity/"
            }
        }
    }
]) -}}
{%- endmacro %}
