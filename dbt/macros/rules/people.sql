{# What makes two events one person's, and a person a bot. The gold contract is the source of each rule. #}

{# The key of an account: its id, which a rename keeps; its login where the upstream gives no id; null without an account. #}
{% macro account_key(account_id, login) -%}
    coalesce('a' || cast({{ account_id }} as varchar), 'l' || {{ login }})
{%- endmacro %}

{# The login that accounts are compared and shown by. GitHub shows a deleted account as `ghost`, which is nobody. #}
{% macro login_of(login) -%}
    nullif(nullif(lower({{ login }}), ''), 'ghost')
{%- endmacro %}

{# The account's id; null for a deleted account, which GitHub gives an id of its own. #}
{% macro account_id_of(account_id, login) -%}
    case when lower({{ login }}) is distinct from 'ghost' then {{ account_id }} end
{%- endmacro %}

{# The key of the account that an issue, a pull request or a comment names; null for a deleted one. #}
{% macro account_of(account_id, login) -%}
    {{ account_key(account_id_of(account_id, login), login_of(login)) }}
{%- endmacro %}

{# The account that a noreply address names: its id, or its login. #}
{% macro noreply_id(email) -%}
    try_cast({{ caught(email, '^([0-9]+)[+]([^@]+)@users[.]noreply[.]github[.]com$', 1) }} as bigint)
{%- endmacro %}

{% macro noreply_login(email) -%}
    {{ caught(email, '^([0-9]+)[+]([^@]+)@users[.]noreply[.]github[.]com$', 2) }}
{%- endmacro %}

{# A text that says something; null for one that is empty or blank. #}
{% macro spoken(text) -%}
    case when {{ matches(text, '[^\\p{Z}\t\r\n]') }} then {{ text }} end
{%- endmacro %}

{# Whether a name has two words or more. A first name alone joins nobody. #}
{% macro has_two_words(name) -%}
    coalesce({{ matches(name, '[^\\p{Z}\t\r\n][\\p{Z}\t\r\n]+[^\\p{Z}\t\r\n]') }}, false)
{%- endmacro %}

{# The text with each e-mail address cut to what stands before its @: addresses stop at bronze. #}
{% macro without_addresses(text) -%}
    {{ replaced(text, '([^\\p{Z}\t\r\n@<>]+)@[^\\p{Z}\t\r\n@<>]+', '\\1') }}
{%- endmacro %}

{# Whether a login, or the name of somebody without an account, reads as a bot's: `[bot]` at its end, or bot or robot as a word. #}
{% macro reads_as_bot(handle) -%}
    ({{ handle }} like '%[bot]' or {{ matches(handle, '(^|[-_])(bot|robot)([-_]|$)') }})
{%- endmacro %}

{#
    The key of who did an event: the account, the one that the same e-mail or the same name in the repo leads to, else a
    person of its own, by a name of two words, by e-mail, by name. `?` where nothing is known.
#}
{% macro person_key(account, account_of_email, account_of_name, is_full_name, name_digest, email_digest) -%}
    coalesce(
        {{ account }},
        {{ account_of_email }},
        {{ account_of_name }},
        case when {{ is_full_name }} then 'n' || {{ name_digest }} end,
        'e' || {{ email_digest }},
        'n' || {{ name_digest }},
        '?'
    )
{%- endmacro %}

{# The second and later persons of a name get their number. #}
{% macro numbered(name, number) -%}
    {{ name }} || case when {{ number }} > 1 then ' (' || cast({{ number }} as varchar) || ')' else '' end
{%- endmacro %}
