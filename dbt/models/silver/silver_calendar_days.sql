-- Every date from the first that a raw table can hold to `as_of`: whoever needs fewer joins from its own first date on.
-- Counted out of digits, since the engines' own sequences differ, and Trino's ends at 10,000.
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

days as (
    select {{ days_later(as_of(), '-days_back') }} as date from offsets
)

select
    date,
    {{ week_of('date') }} as week,
    {{ month_of('date') }} as month
from days
where date >= {{ earliest_date() }}
