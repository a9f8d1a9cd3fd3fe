-- Opened and closed issues are the same in the tables by day and by week, and what is open at the end adds up.
with days as (
    select
        repo,
        sum(num_opened) as opened,
        sum(num_closed) as closed,
        max(case when date = {{ as_of() }} then num_open end) as open_at_end
    from {{ ref('fct_all_time_issues_trend') }}
    group by repo
),

responses as (
    select
        repo,
        sum(issues_opened) as opened
    from {{ ref('fct_issue_response') }}
    group by repo
),

resolutions as (
    select
        repo,
        sum(issues_closed) as closed
    from {{ ref('fct_issue_resolution') }}
    group by repo
),

backlog as (
    select
        repo,
        open_at_end
    from {{ ref('fct_issue_backlog') }}
    where week = {{ week_of(as_of()) }}
),

unanswered as (
    select
        repo,
        count(*) as issues
    from {{ ref('fct_unanswered_issues') }}
    group by repo
)

-- Only of a whole history: weeks that are cut begin later than days.
select
    days.*,
    responses.opened as opened_by_week,
    resolutions.closed as closed_by_week,
    backlog.open_at_end as open_in_backlog,
    unanswered.issues as unanswered
from days
left join responses on days.repo = responses.repo
left join resolutions on days.repo = resolutions.repo
left join backlog on days.repo = backlog.repo
left join unanswered on days.repo = unanswered.repo
left join {{ ref('silver_repo_coverage') }} as coverage on days.repo = coverage.repo
where
    coverage.issues_from is null
    and (
        days.open_at_end is distinct from backlog.open_at_end
        or days.open_at_end < coalesce(unanswered.issues, 0)
        or days.closed <> coalesce(resolutions.closed, 0)
        or (coverage.comments_from is null and days.opened is distinct from responses.opened)
    )
