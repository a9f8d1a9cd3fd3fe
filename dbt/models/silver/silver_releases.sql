with files as (
    {{ listed_rows(ref('bronze_package_files'), 'package') }}
),

versions as (
    select
        *,
        {{ normal_version('lower(trim(version))') }} as normal_form
    from files
),

uploads as (
    select
        listed_name as scope,
        coalesce(normal_form, version) as name,
        normal_form,
        -- A file that was deleted since does not move the release to a later day.
        min({{ possible('uploaded_at') }}) as released_at,
        coalesce(bool_or(is_prerelease), false) as is_prerelease,
        bool_and(coalesce(is_yanked, false)) filter (where not coalesce(is_deleted, false)) as is_yanked,
        count(*) filter (where not coalesce(is_deleted, false)) as num_files
    from versions
    where uploaded_at < {{ as_of_end() }}
    group by listed_name, coalesce(normal_form, version), normal_form
),

published as (
    {{ listed_rows(ref('bronze_releases'), 'repo') }}
),

github as (
    select
        *,
        {{ version_part('tag_name') }} as version_text,
        -- A tag has one published release; of a removed one and its successor the later counts.
        row_number() over (partition by listed_name, tag_name order by published_at desc, release_id desc) as copy_number
    from published
    where not coalesce(is_deleted, false) and not coalesce(is_draft, false) and published_at < {{ as_of_end() }}
),

tags as (
    select
        listed_name as scope,
        tag_name as name,
        {{ normal_version('version_text') }} as version,
        {{ possible('published_at') }} as released_at,
        coalesce(is_prerelease, false) as is_prerelease
    from github
    where copy_number = 1
)

select
    'pypi' as source,
    scope,
    name,
    name as version,
    released_at,
    is_prerelease or {{ reads_as_prerelease('normal_form', 'lower(name)') }} as is_prerelease,
    is_yanked
from uploads
where num_files > 0 and released_at is not null

union all

select
    'github' as source,
    scope,
    name,
    coalesce(version, name) as version,
    released_at,
    is_prerelease or {{ reads_as_prerelease('version', 'lower(name)') }} as is_prerelease,
    false as is_yanked
from tags
where released_at is not null
