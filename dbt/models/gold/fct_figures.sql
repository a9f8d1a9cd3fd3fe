{# Each figure's values come from the model that computes it; what is missing behind them is judged here, alike for all. #}
{% set models = figure_models() %}

with members as (
    select * from {{ ref('silver_figure_members') }}
),

member_sources as (
    select * from {{ ref('silver_member_sources') }}
),

figure_sources as (
    select
        figure,
        source
    from (
        values
        {%- for model in models %}{% set last_model = loop.last %}
        {%- for name, figure in model.figures.items() %}{% set last_figure = loop.last %}
        {%- for source in figure.sources %}
        ('{{ name }}', '{{ source }}'){{ '' if last_model and last_figure and loop.last else ',' }}
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
    ) as listed (figure, source)
),

computed as (
    {%- for model in models %}
    {%- set figures = model.figures %}
    select
        wide.scope_kind,
        wide.scope,
        wide.week,
        wide.ends_on,
        listed.figure,
        listed.window_days,
        listed.needs_history,
        {{ of_figure(figures, '', 'double') }} as value,
        {{ of_figure(figures, '_n', 'bigint') }} as n,
        {{ of_figure(figures, '_status', 'varchar') }} as status,
        {{ of_figure(figures, '_reason', 'varchar') }} as reason
    from {{ ref(model.model) }} as wide
    inner join (
        values
        {%- for name, figure in figures.items() %}{% set last_figure = loop.last %}
        {%- for kind in figure.scope_kinds %}
        ('{{ name }}', '{{ kind }}', {{ figure.window_days }}, {{ figure.needs_history | lower }})
        {{- '' if last_figure and loop.last else ',' }}
        {%- endfor %}
        {%- endfor %}
    ) as listed (figure, scope_kind, window_days, needs_history) on wide.scope_kind = listed.scope_kind
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- How many members a scope has for a figure.
counted as (
    select
        members.scope_kind,
        members.scope,
        figure_sources.figure,
        count(distinct members.kind || ' ' || members.member) as num_members
    from members
    inner join member_sources on members.kind = member_sources.kind and members.member = member_sources.member
    inner join figure_sources on member_sources.source = figure_sources.source
    group by members.scope_kind, members.scope, figure_sources.figure
),

gaps as (
    select
        members.scope_kind,
        members.scope,
        figure_sources.figure,
        members.member,
        member_sources.is_missing,
        member_sources.known_from,
        member_sources.known_until,
        member_sources.is_cut,
        member_sources.gap
    from members
    inner join member_sources on members.kind = member_sources.kind and members.member = member_sources.member
    inner join figure_sources on member_sources.source = figure_sources.source
    where member_sources.gap is not null
),

met as (
    select distinct
        computed.scope_kind,
        computed.scope,
        computed.figure,
        computed.week,
        gaps.member,
        gaps.gap,
        -- Of such a member nothing takes part.
        gaps.is_missing
        or coalesce(gaps.known_from > computed.ends_on, false)
        or (computed.needs_history and gaps.is_cut) as is_absent
    from computed
    inner join gaps
        on
            computed.scope_kind = gaps.scope_kind
            and computed.scope = gaps.scope
            and computed.figure = gaps.figure
    where
        gaps.is_missing
        or (computed.needs_history and gaps.is_cut)
        or gaps.known_from > {{ days_later('computed.ends_on', '1 - computed.window_days') }}
        or gaps.known_until < computed.ends_on
),

incomplete as (
    select
        scope_kind,
        scope,
        figure,
        week,
        count(distinct case when is_absent then member end) as num_absent,
        {{ joined('gap', '; ') }} as gap
    from (
        select
            scope_kind,
            scope,
            figure,
            week,
            member,
            gap,
            bool_or(is_absent) as is_absent
        from met
        group by scope_kind, scope, figure, week, member, gap
    ) as met_gaps
    group by scope_kind, scope, figure, week
),

judged as (
    select
        computed.*,
        incomplete.gap,
        case
            when coalesce(counted.num_members, 0) = 0 then 'none'
            when coalesce(incomplete.num_absent, 0) >= counted.num_members then 'unknown'
            -- What a member that is missing has might exist.
            when computed.status = 'none' and incomplete.gap is not null then 'unknown'
            when computed.status = 'none' then 'none'
            when computed.value is null and coalesce(computed.status, '') <> 'known' then 'unknown'
            when incomplete.gap is not null or computed.status = 'partial' then 'partial'
            else 'known'
        end as verdict
    from computed
    left join counted
        on
            computed.scope_kind = counted.scope_kind
            and computed.scope = counted.scope
            and computed.figure = counted.figure
    left join incomplete
        on
            computed.scope_kind = incomplete.scope_kind
            and computed.scope = incomplete.scope
            and computed.figure = incomplete.figure
            and computed.week = incomplete.week
)

select
    scope_kind,
    scope,
    figure,
    week,
    case when verdict in ('known', 'partial') then value end as value,
    coalesce(n, 0) as n,
    verdict as status,
    case
        when verdict = 'none' then coalesce(reason, 'nothing of the kind')
        when verdict = 'unknown' then coalesce(reason || '; ' || gap, gap, reason, 'nothing in the window')
        when gap is not null and reason is not null then reason || '; ' || gap
        else coalesce(gap, reason)
    end as reason
from judged
