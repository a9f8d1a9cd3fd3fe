-- The shares of a package's day are one, and each day that has downloads is judged for anomalies.
{% for model in ('fct_downloads_by_python', 'fct_downloads_by_system', 'fct_downloads_by_version') -%}
select
    '{{ model }}' as what,
    package,
    date
from {{ ref(model) }}
group by package, date
having abs(sum(share) - 1) > 1e-9

union all
{% endfor %}
select
    'fct_download_anomalies' as what,
    coalesce(downloads.package, anomalies.package) as package,
    coalesce(downloads.date, anomalies.date) as date
from {{ ref('fct_percent_change_downloads_overall') }} as downloads
full outer join {{ ref('fct_download_anomalies') }} as anomalies
    on
        downloads.package = anomalies.package
        and downloads.category = anomalies.category
        and downloads.date = anomalies.date
where downloads.downloads is distinct from anomalies.downloads
