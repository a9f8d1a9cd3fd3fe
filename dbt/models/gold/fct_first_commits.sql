with commits as (
    {{ counted_commits('author') }}
)

select
    commits.repo,
    commits.person as author,
    min(commits.happened_on) as first_commit_date
from commits
inner join {{ ref('silver_people') }} as people on commits.person = people.person
-- Of a history that is cut, no commit is known to be anybody's first.
where not people.is_bot and commits.commits_from is null
group by commits.repo, commits.person
