-- The last month of the trend and the window of 365 days are one and the same. The trend begins with a repo's first commit.
with newest as (
    select max(month) as month from {{ ref('fct_absence_factor_trend') }}
),

last_months as (
    select
        trend.repo,
        trend.factor,
        trend.contributors,
        trend.commits
    from {{ ref('fct_absence_factor_trend') }} as trend
    inner join newest on trend.month = newest.month
)

select
    windows.repo,
    windows.factor,
    last_months.factor as factor_of_trend
from {{ ref('fct_contributor_absence_factor') }} as windows
left join last_months on windows.repo = last_months.repo
where
    windows.window_days = 365
    and (last_months.repo is not null or windows.commits > 0)
    and (
        windows.factor is distinct from last_months.factor
        or windows.contributors is distinct from last_months.contributors
        or windows.commits is distinct from last_months.commits
    )
