-- A break whose source is misspelt is drawn nowhere.
select
    breaks.id,
    breaks.source
from {{ ref('fct_known_breaks') }} as breaks
left join {{ ref('sources') }} as sources
    on breaks.source = sources.source or starts_with(sources.source, breaks.source || '_')
where sources.source is null
