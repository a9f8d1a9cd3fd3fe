{#
    The rows of a bronze table that belong to a listed repo or package, with its listed name as
    `listed_name`. Names are compared without case, as GitHub and PyPI do. Of rows that share `grain` (a
    repository recreated under an old name starts its numbers again) the one that still exists, then the
    one loaded last, is `copy_number` 1.
#}
{% macro listed_rows(model, kind, grain=none) -%}
    select
        landed.*,
        scopes.name as listed_name
        {%- if grain %},
        row_number() over (
            partition by scopes.name, {{ grain }}
            order by coalesce(landed.is_deleted, false), landed.load_seq desc, landed.repo_id desc
        ) as copy_number
        {%- endif %}
    from {{ model }} as landed
    inner join {{ ref('silver_listed_scopes') }} as scopes
        on lower(landed.{{ kind }}) = scopes.match_key and scopes.kind = '{{ kind }}'
{%- endmacro %}

{# Which rows gold counts: those that upstream still has and that happened by the end of `as_of`. #}
{% macro event_flags(happened_at, is_deleted) -%}
    coalesce({{ is_deleted }}, false) as is_deleted,
        coalesce({{ happened_at }} >= {{ as_of_end() }}, false) as is_after_as_of,
        coalesce(not coalesce({{ is_deleted }}, false) and {{ happened_at }} < {{ as_of_end() }}, false) as is_counted
{%- endmacro %}

{# The key of a person who is known by login alone; null for a deleted account. #}
{% macro person_of(login) -%}
    nullif(nullif(lower({{ login }}), ''), 'ghost')
{%- endmacro %}
