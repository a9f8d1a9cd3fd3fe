with downloads as (
    select
        package,
        category,
        date,
        downloads
    from {{ ref('silver_downloads') }}
    where kind = 'overall'
),

sums as (
    select
        package,
        category,
        date,
        downloads,
        {% set week = 'over (partition by package, category order by date range between' %}
        sum(downloads) {{ week }} interval '1' day preceding and interval '1' day preceding) as downloads_before,
        {% for name, first, last in (('', '6', '0'), ('_before', '13', '7')) -%}
        sum(downloads) {{ week }} interval '{{ first }}' day preceding and interval '{{ last }}' day preceding)
            as sum_7d{{ name }},
        count(downloads) {{ week }} interval '{{ first }}' day preceding and interval '{{ last }}' day preceding)
            as days_7d{{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from downloads
),

whole as (
    select
        package,
        category,
        date,
        downloads,
        downloads_before,
        case when days_7d = 7 then sum_7d end as downloads_7d,
        case when days_7d_before = 7 then sum_7d_before end as downloads_7d_before
    from sums
)

select
    package,
    category,
    date,
    downloads,
    {{ percent_change('downloads', 'downloads_before') }} as percent_change_1d,
    {{ bigint('downloads_7d') }} as downloads_7d,
    {{ percent_change('downloads_7d', 'downloads_7d_before') }} as percent_change_7d
from whole
