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
    {%- for role, verb, other in (('author', 'authored', 'committed'), ('committer', 'committed', 'authored')) %}
    select
        listed_name as repo,
        sha,
        '{{ role }}' as role,
        {{ possible(verb ~ '_at') }} as happened_at,
        {{ possible(other ~ '_at') }} as other_at,
        {{ spoken(role ~ '_name') }} as name,
        lower({{ spoken(role ~ '_email') }}) as email,
        {{ role }}_id as account_id,
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
        coalesce(is_reachable and happened_at < {{ as_of_end() }}, false) as is_counted,
        -- Who somebody is can be told by the commit's other date, if the event's own is impossible.
        case
            when is_reachable and happened_at < {{ as_of_end() }} then happened_at
            when is_reachable and other_at < {{ as_of_end() }} then other_at
        end as seen_at
    from events
),

-- The ids of accounts of which some events say the login alone.
id_of_login as (
    select
        login,
        max(account_id) as account_id
    from flagged
    where seen_at is not null and account_id is not null and login is not null
    group by login
    having count(distinct account_id) = 1
),

named as (
    select
        flagged.*,
        flagged.account_id is not null or flagged.login is not null as is_from_api,
        {{ account_key(
            'coalesce(flagged.account_id, ' ~ noreply_id('flagged.email') ~ ', id_of_login.account_id)', 'flagged.login'
        ) }} as account,
        coalesce(flagged.login, {{ noreply_login('flagged.email') }}) as own_login
    from flagged
    left join id_of_login on flagged.login = id_of_login.login
)

select
    repo,
    sha,
    role,
    happened_at,
    seen_at,
    {{ has_two_words('name') }} as is_full_name,
    -- Compared exactly, so as digests: a name may be or hold an address, and addresses stop at bronze.
    {{ digest('name') }} as name_digest,
    {{ digest('email') }} as email_digest,
    account,
    is_from_api,
    own_login as login,
    -- What somebody without an account is shown by.
    case when account is null then {{ without_addresses("coalesce(name, email)") }} end as label,
    -- What tells a bot.
    case when account is null then {{ without_addresses('lower(name)') }} else own_login end as handle,
    account_type,
    is_reachable,
    is_after_as_of,
    is_counted
from named
