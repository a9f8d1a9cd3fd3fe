select repo, author_login as author, count(*) as num_commits
from {{ ref('bronze_commits') }}
where is_reachable
group by repo, author_login
