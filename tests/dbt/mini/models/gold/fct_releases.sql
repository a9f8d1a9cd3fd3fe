select repo, tag_name, cast(timezone('UTC', published_at) as timestamp) as published_at, cast(null as double) as share
from {{ source('raw', 'releases') }}
