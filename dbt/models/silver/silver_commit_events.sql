with source as (
    {{ listed_rows(ref('bronze_commits'), 'repo') }}
),

commits as (
    select
        *,
        -- A repo that was listed with other capitals before has its commits twice.
        row_number() over (partition by listed_name, sha order by load_seq desc, repo asc) as copy_number
    from source
),

events as (
    {%- for role, verb in (('author', 'authored'), ('committer', 'committed')) %}
    select
        listed_name as repo,
        sha,
        '{{ role }}' as role,
        {{ verb }}_at as happened_at,
        {{ role }}_name as name,
        nullif(lower({{ role }}_email), '') as email,
        nullif(lower({{ role }}_login), '') as login,
        {{ role }}_type as account_type,
        coalesce(is_reachable, true) as is_reachable
    from commits
    where copy_number = 1
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

flagged as (
    select
        *,
        coalesce(happened_at >= {{ as_of_end() }}, false) as is_after_as_of,
        coalesce(is_reachable and happened_at < {{ as_of_end() }}, false) as is_counted
    from events
),

login_of_email as (
    select
        email,
        max(login) as login
    from flagged
    where is_counted and login is not null and email is not null
    group by email
    having count(distinct login) = 1
),

login_of_name as (
    select
        name,
        max(login) as login
    from flagged
    where is_counted and login is not null and name is not null
    group by name
    having count(distinct login) = 1
)

select
    flagged.repo,
    flagged.sha,
    flagged.role,
    flagged.happened_at,
    {{ day_of('flagged.happened_at') }} as happened_on,
    coalesce(flagged.login, login_of_email.login, login_of_name.login, flagged.name, '') as person,
    flagged.account_type,
    flagged.is_reachable,
    flagged.is_after_as_of,
    flagged.is_counted
from flagged
left join login_of_email on flagged.email = login_of_email.email
left join login_of_name on flagged.name = login_of_name.name
