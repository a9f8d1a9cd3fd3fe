with events as (
    select
        person_key,
        seen_at,
        coalesce(login, label) as label,
        login is not null as has_login,
        handle,
        account_type
    from {{ ref('silver_commit_events') }}
    where seen_at is not null

    {%- for model in ('silver_issues', 'silver_issue_comments', 'silver_change_requests') %}

    union all

    select
        person_key,
        created_at as seen_at,
        login as label,
        true as has_login,
        login as handle,
        account_type
    from {{ ref(model) }}
    where is_counted and person_key is not null
    {%- endfor %}
),

known_bots as (
    select distinct lower(person) as handle from {{ ref('bots') }}
),

known_people as (
    select distinct lower(person) as handle from {{ ref('not_bots') }}
),

-- Few rows a person: what was seen of each under one label and handle.
sightings as (
    select
        person_key,
        label,
        has_login,
        handle,
        min(seen_at) as first_at,
        max(seen_at) as last_at,
        bool_or(coalesce(account_type = 'Bot', false)) as has_bot_account
    from events
    group by person_key, label, has_login, handle
),

labels as (
    select
        person_key,
        label,
        -- An account is shown by a login, whatever names it committed under.
        row_number() over (partition by person_key order by has_login desc, last_at desc, label desc) as position
    from sightings
    where label is not null
),

people as (
    select
        sightings.person_key,
        min(sightings.first_at) as first_event_at,
        bool_or(
            sightings.has_bot_account
            or coalesce({{ reads_as_bot('sightings.handle') }}, false)
            or known_bots.handle is not null
        ) and not bool_or(known_people.handle is not null) as is_bot
    from sightings
    left join known_bots on sightings.handle = known_bots.handle
    left join known_people on sightings.handle = known_people.handle
    group by sightings.person_key
),

labelled as (
    select
        people.person_key,
        people.first_event_at,
        people.is_bot,
        people.person_key <> '?' as is_known,
        case when people.person_key = '?' then 'unknown' else coalesce(labels.label, 'unknown') end as label
    from people
    left join labels on people.person_key = labels.person_key and labels.position = 1
),

aged as (
    select
        *,
        row_number() over (
            order by is_known asc, first_event_at asc, substr(person_key, 1, 1) asc, length(person_key) asc, person_key asc
        ) as age
    from labelled
),

numbered as (
    select
        *,
        {{ numbered('label', 'row_number() over (partition by label order by age)') }} as person,
        {{ replaced('label', '( [(][0-9]+[)])+$', '') }} as bare_label
    from aged
),

compared as (
    select
        *,
        count(*) over (partition by person) > 1 as is_taken
    from numbered
),

-- Somebody may be called what another one is numbered as; then all of that name are numbered.
judged as (
    select
        *,
        bool_or(is_taken) over (partition by bare_label) as is_ambiguous,
        {{ numbered('bare_label', 'row_number() over (partition by bare_label order by age)') }} as other_person
    from compared
)

select
    person_key,
    case when is_ambiguous then other_person else person end as person,
    is_known and is_bot as is_bot,
    is_known,
    first_event_at
from judged
