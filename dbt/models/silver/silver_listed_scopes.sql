with source as (
    {{ listed_projects() }}
),

renamed as (
    select
        project,
        kind,
        name,
        lower(name) as match_key,
        position
    from source as listed (project, kind, name, position)
)

select * from renamed
