select
    requests.repo,
    requests.number,
    requests.title,
    people.person as author,
    coalesce(people.is_bot, false) as is_bot,
    requests.created_at,
    {{ seconds_between('requests.created_at', as_of_end()) }} / 86400 as age_days,
    'https://github.com/' || requests.repo || '/pull/' || cast(requests.number as varchar) as url
from {{ ref('silver_change_requests') }} as requests
left join {{ ref('silver_people') }} as people on requests.person_key = people.person_key
where
    requests.is_counted
    and requests.closed_at is null
    and requests.merged_at is null
    and not requests.is_closed_at_unknown_time
