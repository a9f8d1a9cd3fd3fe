with source as (
    {{ listed_projects() }}
),

renamed as (
    select
        project,
        kind,
        name,
        lower(name) as match_key
    from source as listed (project, kind, name)
)

select * from renamed
