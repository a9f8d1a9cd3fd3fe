-- Every date from the first that any table counts to `as_of`. Counted out of digits, since the engines'
-- own sequences differ, and Trino's ends at 10,000. Raw has no date before 1900, so five digits do.
with digits as (
    select digit from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as listed (digit)
),

offsets as (
    select
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
        + 10000 * ten_thousands.digit as days_back
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as ten_thousands
),

firsts as (
    {%- for model, moment in (
        ('silver_commit_events', 'happened_at'),
        ('silver_issues', 'created_at'),
        ('silver_issues', 'closed_at'),
        ('silver_change_requests', 'created_at'),
    ) %}
    select min({{ day_of(moment) }}) as first_date
    from {{ ref(model) }}
    where is_counted

    union all
    {%- endfor %}

    select min({{ day_of('released_at') }}) as first_date from {{ ref('silver_releases') }}

    union all

    select min(date) as first_date from {{ ref('silver_downloads') }}
),

bounds as (
    select coalesce(min(first_date), {{ as_of() }}) as first_date from firsts
),

days as (
    select {{ days_later(as_of(), '-days_back') }} as date from offsets
)

select
    days.date,
    {{ week_of('days.date') }} as week,
    {{ month_of('days.date') }} as month
from days
inner join bounds on days.date >= bounds.first_date
