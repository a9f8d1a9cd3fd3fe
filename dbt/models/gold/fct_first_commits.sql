with commits as (
    {{ counted_commits('author') }}
)

select
    commits.repo,
    people.person as author,
    min(commits.happened_on) as first_commit_date
from commits
inner join {{ ref('silver_people') }} as people on commits.person_key = people.person_key
-- Of a history that is cut, no commit is known to be anybody's first.
where people.is_known and not people.is_bot and commits.commits_from is null
group by commits.repo, people.person
