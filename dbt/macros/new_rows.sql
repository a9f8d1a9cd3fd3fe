{#
    The rows of a raw table that bronze lacks. By load sequence: an event time says nothing about when a
    row was loaded.
#}
{% macro new_rows() -%}
    {%- if is_incremental() -%}
        where load_seq > (select coalesce(max(load_seq), -1) from {{ this }})
    {%- endif -%}
{%- endmacro %}
