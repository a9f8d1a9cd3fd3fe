-- Who the trailers of commit messages name as co-authors, as far as they lead to a person who has an event of their own.
with commits as (
    select
        listed_name as repo,
        sha,
        message
    from (
        {{ listed_rows(ref('bronze_commits'), 'repo') }}
    ) as landed_commits
    where coalesce(is_reachable, true) and lower(message) like '%co-authored-by:%'
),

trailers as (
    select distinct
        commits.repo,
        commits.sha,
        trim(trailer.line) as line
    from commits
    cross join unnest(
        regexp_extract_all(commits.message, '(?i)(^|\n)[ \t]*co-authored-by:[ \t]*([^\n\r]+)', 2)
    ) as trailer (line)
),

named as (
    select
        repo,
        sha,
        {{ spoken(replaced('line', '[ \t]*<[^>]*>?[ \t]*$', '')) }} as name,
        lower({{ caught('line', '<([^> \t]+)>', 1) }}) as email
    from trailers
),

links as (
    select * from {{ ref('silver_person_links') }}
),

people as (
    select * from {{ ref('silver_people') }}
),

resolved as (
    select
        named.repo,
        named.sha,
        {{ person_key(
            account_key(noreply_id('named.email'), 'cast(null as varchar)'),
            'of_email.account',
            'of_name.account',
            has_two_words('named.name'),
            digest('named.name'),
            digest('named.email')
        ) }} as person_key
    from named
    left join links as of_email on of_email.kind = 'email' and of_email.text = {{ digest('named.email') }}
    left join links as of_name
        on of_name.kind = 'name' and named.repo = of_name.repo and {{ digest('named.name') }} = of_name.text
)

select distinct
    commits.scope_kind,
    commits.scope,
    commits.sha,
    commits.happened_on,
    people.person_key
from resolved
inner join {{ ref('silver_figure_members') }} as members on members.kind = 'repo' and resolved.repo = members.member
inner join {{ ref('silver_scope_commits') }} as commits
    on members.scope_kind = commits.scope_kind and members.scope = commits.scope and resolved.sha = commits.sha
inner join people on resolved.person_key = people.person_key
-- Naming oneself is not co-authoring.
where resolved.person_key <> commits.person_key
