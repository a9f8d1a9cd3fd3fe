{# Downloads of one kind per package, day and category, with the share of the day's total. #}
{% macro downloads_by(kind, column) -%}
    with downloads as (
        select
            package,
            date,
            -- pypistats spells a client that did not say with the text null.
            case when category = 'null' then 'unknown' else category end as {{ column }},
            downloads
        from {{ ref('silver_downloads') }}
        where kind = '{{ kind }}'
    )

    select
        package,
        date,
        {{ column }},
        downloads,
        {{ share('downloads', 'sum(downloads) over (partition by package, date)') }} as share
    from downloads
{%- endmacro %}
