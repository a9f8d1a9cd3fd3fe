with identities as (
    select * from {{ ref('silver_commit_identities') }}
),

links as (
    select * from {{ ref('silver_person_links') }}
)

select
    identities.repo,
    identities.sha,
    identities.role,
    identities.happened_at,
    {{ day_of('identities.happened_at') }} as happened_on,
    identities.seen_at,
    {{ person_key(
        'identities.account',
        'of_email.account',
        'of_name.account',
        'identities.is_full_name',
        'identities.name_digest',
        'identities.email_digest'
    ) }} as person_key,
    identities.login,
    identities.label,
    identities.handle,
    identities.account_type,
    identities.is_reachable,
    identities.is_after_as_of,
    identities.is_counted
from identities
left join links as of_email on of_email.kind = 'email' and identities.email_digest = of_email.text
left join links as of_name
    on of_name.kind = 'name' and identities.repo = of_name.repo and identities.name_digest = of_name.text
