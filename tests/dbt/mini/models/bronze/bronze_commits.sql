{{ config(materialized='incremental', unique_key=['repo', 'sha'], on_schema_change='fail') }}
select repo, sha, author_login, is_reachable, load_seq
from {{ source('raw', 'commits') }}
{% if is_incremental() %}
where load_seq > (select coalesce(max(load_seq), -1) from {{ this }})
{% endif %}
