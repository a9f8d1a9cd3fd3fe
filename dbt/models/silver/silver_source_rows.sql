{% for source in raw_sources() -%}
{%- set moment = 'cast(landed.' ~ source.newest_by ~ ' as timestamp(6))' -%}
select
    '{{ source.name }}' as source,
    scopes.name as scope,
    count(*) as row_count,
    -- A wrong clock upstream must not make a source look alive.
    max(case when {{ moment }} < {{ as_of_end() }} then {{ moment }} end) as last_event_at
from {{ ref('bronze_' ~ source.table) }} as landed
inner join {{ ref('silver_listed_scopes') }} as scopes
    on lower(landed.{{ source.scope }}) = scopes.match_key and scopes.kind = '{{ source.scope }}'
{% if source.kind is not none -%}
where landed.kind = '{{ source.kind }}'
{% endif -%}
group by scopes.name
{{ 'union all' if not loop.last }}
{% endfor %}
