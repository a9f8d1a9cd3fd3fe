with events as (
    {%- for model in ('silver_commit_events', 'silver_issues', 'silver_issue_comments', 'silver_change_requests') %}
    select
        person,
        account_type
    from {{ ref(model) }}
    where is_counted and person is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

people as (
    select
        person,
        coalesce(bool_or(account_type = 'Bot'), false) as has_bot_account
    from events
    group by person
)

select
    people.person,
    people.has_bot_account
    or lower(people.person) like '%[bot]'
    or bots.person is not null as is_bot
from people
left join {{ ref('bots') }} as bots on people.person = bots.person
