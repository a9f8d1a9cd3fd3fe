select
    project,
    kind,
    name
from {{ ref('silver_listed_scopes') }}
