-- Which account an e-mail or a name leads to, if it is exactly one: commits whose account the API gives say so.
with events as (
    select * from {{ ref('silver_commit_identities') }}
    where seen_at is not null and is_from_api
)

select
    'email' as kind,
    '' as repo,
    email_digest as text,
    max(account) as account
from events
where email_digest is not null
group by email_digest
having count(distinct account) = 1

union all

select
    'name' as kind,
    repo,
    name_digest as text,
    max(account) as account
from events
where is_full_name
group by repo, name_digest
having count(distinct account) = 1
