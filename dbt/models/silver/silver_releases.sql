with files as (
    {{ listed_rows(ref('bronze_package_files'), 'package') }}
),

published as (
    {{ listed_rows(ref('bronze_releases'), 'repo') }}
),

github as (
    select
        *,
        -- A tag has one published release; of a removed one and its successor the later counts.
        row_number() over (partition by listed_name, tag_name order by published_at desc, release_id desc) as copy_number
    from published
    where not coalesce(is_deleted, false) and not coalesce(is_draft, false) and published_at < {{ as_of_end() }}
)

select
    'pypi' as source,
    listed_name as scope,
    version as name,
    min(uploaded_at) as released_at,
    coalesce(bool_or(is_prerelease), false) as is_prerelease,
    bool_and(coalesce(is_yanked, false)) as is_yanked
from files
where not coalesce(is_deleted, false) and uploaded_at < {{ as_of_end() }}
group by listed_name, version

union all

select
    'github' as source,
    listed_name as scope,
    tag_name as name,
    published_at as released_at,
    coalesce(is_prerelease, false) as is_prerelease,
    false as is_yanked
from github
where copy_number = 1
